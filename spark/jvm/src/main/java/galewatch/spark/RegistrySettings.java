package galewatch.spark;

import java.io.Serializable;

/** Where the registry is (its Confluent API), as whom it is asked, and which subject's schemas count. */
public record RegistrySettings(String url, String user, String password, String subject) implements Serializable {
    /** Never shows the password. */
    @Override
    public String toString() {
        return "RegistrySettings[" + url + ", " + user + ", " + subject + "]";
    }
}
