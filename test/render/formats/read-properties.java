import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/** Loads what was encoded with java.util.Properties. A request a line, `properties` or `xml` and the bytes in base64; an answer
 *  a line: keys and values in base64, or an exclamation mark and what was thrown. */
class ReadProperties {
    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] parts = line.split(" ", -1);
            Properties properties = new Properties();
            String answer;
            try {
                InputStream bytes = new ByteArrayInputStream(Base64.getDecoder().decode(parts[1]));
                switch (parts[0]) {
                    case "xml" -> properties.loadFromXML(bytes);
                    case "latin1" -> properties.load(bytes);
                    default -> properties.load(new InputStreamReader(bytes, StandardCharsets.UTF_8));
                }
                List<String> words = new ArrayList<>();
                for (String name : properties.stringPropertyNames()) {
                    words.add(base64(name));
                    words.add(base64(properties.getProperty(name)));
                }
                answer = String.join(" ", words);
            } catch (Exception error) {
                answer = "!" + error;
            }
            System.out.println(answer.replace('\n', ' '));
        }
    }

    static String base64(String text) {
        return "=" + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
