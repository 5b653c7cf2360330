import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Map;
import java.util.Properties;

/**
 * Loads properties files that come on standard input and answers with what java.util.Properties made of each.
 *
 * A file is its length (int) and its bytes. The answer is the number of entries (int), or -1 if the file was refused; then key and value of each
 * entry, both as a length (int) and that many UTF-16 code units.
 */
class PropertiesOracle {
    public static void main(String[] arguments) throws IOException {
        var input = new DataInputStream(System.in);
        var output = new DataOutputStream(new java.io.BufferedOutputStream(System.out, 1 << 16));
        while (true) {
            int length;
            try {
                length = input.readInt();
            } catch (EOFException end) {
                return;
            }
            answer(input.readNBytes(length), output);
            output.flush();
        }
    }

    private static void answer(byte[] file, DataOutputStream output) throws IOException {
        var properties = new Properties();
        try {
            properties.load(new ByteArrayInputStream(file));
        } catch (IllegalArgumentException refused) {
            output.writeInt(-1);
            return;
        }
        output.writeInt(properties.size());
        for (Map.Entry<Object, Object> entry : properties.entrySet()) {
            write((String) entry.getKey(), output);
            write((String) entry.getValue(), output);
        }
    }

    private static void write(String text, DataOutputStream output) throws IOException {
        output.writeInt(text.length());
        output.writeChars(text);
    }
}
