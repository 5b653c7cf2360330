import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Properties;

/** A stand-in for asperatrapd in Java: it loads s3.properties once, at its start, and writes down what it loaded. */
final class AsperatrapdStandIn {
    private AsperatrapdStandIn() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Properties loaded = new Properties();
        try (InputStream file = new BufferedInputStream(Files.newInputStream(Path.of("/opt/aspera/etc/trapd/s3.properties")))) {
            loaded.load(file);
        }
        StringBuilder settings = new StringBuilder();
        for (String name : loaded.stringPropertyNames()) {
            if (name.startsWith("server-side-encryption")) {
                settings.append(name).append('=').append(loaded.getProperty(name)).append('\n');
            }
        }
        // Whoever reads it finds all or nothing.
        Path whole = Files.writeString(Path.of("/run/asperatrapd.loading"), settings);
        Files.move(whole, Path.of("/run/asperatrapd.loaded"), StandardCopyOption.ATOMIC_MOVE);
        Thread.sleep(Long.MAX_VALUE);
    }
}
