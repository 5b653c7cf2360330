import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/** Loads a properties file again and again, until something comes on standard input; then prints what it saw and how often. Says "new" at each new sight. */
class PropertiesReader {
    public static void main(String[] arguments) throws Exception {
        Map<String, Integer> seen = new TreeMap<>();
        while (System.in.available() == 0) {
            Properties properties = new Properties();
            try (InputStream file = new BufferedInputStream(new FileInputStream(arguments[0]))) {
                properties.load(file);
            }
            if (seen.merge(new TreeMap<>(properties).toString(), 1, Integer::sum) == 1) {
                System.out.println("new");
                System.out.flush();
            }
        }
        seen.forEach((settings, times) -> System.out.println(times + " " + settings));
    }
}
