package org.vse.job.daemon;

import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code vsed.yaml} may say, for whoever documents it. */
public final class ConfigKeys {
    private ConfigKeys() {}

    /** Every key with what it means when the file does not say, in the order of the documentation. */
    public static Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        for (ConfigFile.Key key : ConfigFile.Key.values()) {
            defaults.put(key.word(), key.otherwise());
        }
        return defaults;
    }
}
