package org.vse.ledger;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A report as one HTML document that refers to nothing outside itself: its data as JSON, a style sheet, and the script that
 * draws. Its content security policy allows exactly these two by their digests, so that no text of the data can become a
 * script, whatever the script does with it.
 */
final class HtmlPage {
    private HtmlPage() {}

    /**
     * Makes the document.
     *
     * @param data what report.js draws
     * @param zone of the times that are shown
     */
    static String of(
            String title, ObjectNode data, @Nullable Instant since, @Nullable Instant until, Instant now, ZoneId zone) {
        String style = resource("report.css");
        String script = resource("report.js");
        data.put("title", title);
        data.put("zone", zone.getId().equals("Z") ? "UTC" : zone.getId());
        data.put("since", since == null ? null : since.toString());
        data.put("until", until == null ? null : until.toString());
        data.put("now", now.toString());
        String policy = "default-src 'none'; style-src " + source(style) + "; script-src " + source(script)
                + "; base-uri 'none'; form-action 'none'";
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta http-equiv="Content-Security-Policy" content="%s">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>%s</title>
                <style>%s</style>
                </head>
                <body>
                <noscript><p>This report draws itself with a script that it contains; here scripts are switched off.</p></noscript>
                <script type="application/json" id="data">%s</script>
                <script>%s</script>
                </body>
                </html>
                """.formatted(policy, escaped(title), style, inScript(data.toString()), script);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /** JSON that contains no end of its element and no line separator. */
    private static String inScript(String json) {
        return json.replace("<", "\\u003c")
                .replace(">", "\\u003e")
                .replace("&", "\\u0026")
                .replace("\u2028", "\\u2028")
                .replace("\u2029", "\\u2029");
    }

    private static String source(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static String resource(String name) {
        try (InputStream text = HtmlPage.class.getResourceAsStream(name)) {
            if (text == null) {
                throw new IllegalStateException("resource " + name + " is missing");
            }
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("resource " + name + " is unreadable", e);
        }
    }
}
