package io.galewatch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Properties;
import kafka.zk.AdminZkClient;
import kafka.zk.KafkaZkClient;
import org.apache.kafka.common.security.scram.ScramCredential;
import org.apache.kafka.common.security.scram.internals.ScramCredentialUtils;
import org.apache.kafka.common.security.scram.internals.ScramFormatter;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;
import org.apache.kafka.common.utils.Time;
import org.apache.zookeeper.client.ZKClientConfig;
import scala.Option;

/**
 * Starts the broker after making sure that it can log in to itself.
 *
 * <p>The broker's own SCRAM credential lives in ZooKeeper and must be there before any broker starts. Kafka's tool for it
 * takes the password as an argument, where `ps` shows it, and costs a second JVM at every start. Here the same calls are
 * made in the broker's JVM, from the password's file. What ZooKeeper holds is compared with the password each time, so a
 * wiped ZooKeeper and a changed password are both put right, and nothing is written otherwise.
 */
public final class Broker {
  private static final ScramMechanism MECHANISM = ScramMechanism.SCRAM_SHA_512;
  /** Kafka's own default, and its minimum. */
  private static final int ITERATIONS = 4096;
  private static final int TIMEOUT_MS = 30_000;
  /** Twice the session's timeout in server.properties. */
  private static final int REGISTRATION_EXPIRY_MS = 6_000;
  private static final int POLL_MS = 50;

  private Broker() {}

  /** Arguments: server.properties, the file of the admin's password. */
  public static void main(String[] args) throws IOException, GeneralSecurityException, InterruptedException {
    Properties config = new Properties();
    try (var reader = Files.newBufferedReader(Path.of(args[0]))) {
      config.load(reader);
    }
    String password = Files.readString(Path.of(args[1])).strip();
    KafkaZkClient zooKeeper =
        KafkaZkClient.apply(
            config.getProperty("zookeeper.connect"),
            true, // what it makes is readable by the brokers only
            TIMEOUT_MS,
            TIMEOUT_MS,
            1,
            Time.SYSTEM,
            "credential",
            new ZKClientConfig(),
            "kafka.server",
            "SessionExpireListener",
            true, // makes a missing chroot; without it, the credential would silently go nowhere
            false);
    try {
      ensureCredential(new AdminZkClient(zooKeeper, Option.empty()), "admin", password);
      awaitExpiry(zooKeeper, "/brokers/ids/" + config.getProperty("broker.id"));
    } finally {
      zooKeeper.close();
    }
    kafka.Kafka.main(new String[] {args[0]});
  }

  private static void ensureCredential(AdminZkClient admin, String user, String password)
      throws GeneralSecurityException {
    Properties stored = admin.fetchEntityConfig("users", user);
    String key = MECHANISM.mechanismName();
    if (matches(stored.getProperty(key), password)) {
      return;
    }
    ScramCredential made = new ScramFormatter(MECHANISM).generateCredential(password, ITERATIONS);
    stored.setProperty(key, ScramCredentialUtils.credentialToString(made));
    admin.changeUserOrUserClientIdConfig(user, stored, false);
    if (!matches(admin.fetchEntityConfig("users", user).getProperty(key), password)) {
      throw new IllegalStateException("ZooKeeper did not keep the credential of the user " + user);
    }
    System.out.println("galewatch: made the credential of the user " + user);
  }

  private static boolean matches(String stored, String password) throws GeneralSecurityException {
    if (stored == null) {
      return false;
    }
    ScramCredential credential = ScramCredentialUtils.credentialFromString(stored);
    ScramFormatter formatter = new ScramFormatter(MECHANISM);
    byte[] salted = formatter.saltedPassword(password, credential.salt(), credential.iterations());
    return MessageDigest.isEqual(formatter.storedKey(formatter.clientKey(salted)), credential.storedKey());
  }

  /**
   * Waits until the registration of a killed predecessor expires: a broker that finds one gives up at once. One that stays
   * belongs to a living broker, and Kafka says so itself.
   */
  private static void awaitExpiry(KafkaZkClient zooKeeper, String registration) throws InterruptedException {
    long deadline = System.nanoTime() + REGISTRATION_EXPIRY_MS * 1_000_000L;
    while (zooKeeper.pathExists(registration) && System.nanoTime() < deadline) {
      Thread.sleep(POLL_MS);
    }
  }
}
