package io.galewatch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaServer;
import kafka.server.metadata.ZkMetadataCache;
import kafka.zk.AdminZkClient;
import kafka.zk.KafkaZkClient;
import org.apache.kafka.common.message.UpdateMetadataRequestData.UpdateMetadataPartitionState;
import org.apache.kafka.common.security.scram.ScramCredential;
import org.apache.kafka.common.security.scram.internals.ScramCredentialUtils;
import org.apache.kafka.common.security.scram.internals.ScramFormatter;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;
import org.apache.kafka.common.utils.Time;
import org.apache.zookeeper.client.ZKClientConfig;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Starts the broker after making sure that it can log in to itself.
 *
 * <p>The broker's own SCRAM credential lives in ZooKeeper and must be there before any broker starts. Kafka's tool for it
 * takes the password as an argument, where `ps` shows it, and costs a second JVM at every start. Here the same calls are
 * made in the broker's JVM, from the password's file. What ZooKeeper holds is compared with the password each time, so a
 * wiped ZooKeeper and a changed password are both put right, and nothing is written otherwise.
 *
 * <p>A broker also answers before the controller has told it what the cluster is: its first clients hear of no broker and no
 * topic, and some ask again minutes later only. So it is called ready, by a file, once it knows what ZooKeeper knows.
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

  /** Arguments: server.properties, the file of the admin's password, the file to make when the broker is ready. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Properties config = new Properties();
    try (var reader = Files.newBufferedReader(Path.of(args[0]))) {
      config.load(reader);
    }
    String password = Files.readString(Path.of(args[1])).strip();
    int id = Integer.parseInt(config.getProperty("broker.id"));
    KafkaServer server;
    try (KafkaZkClient zooKeeper = connect(config.getProperty("zookeeper.connect"))) {
      ensureCredential(new AdminZkClient(zooKeeper, Option.empty()), "admin", password);
      awaitExpiry(zooKeeper, "/brokers/ids/" + id);
      server = new KafkaServer(KafkaConfig.fromProps(config), Time.SYSTEM, Option.empty(), false);
      Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown, "shutdown"));
      server.startup();
      awaitMetadata(server.metadataCache(), zooKeeper, id);
    } catch (RuntimeException | GeneralSecurityException error) {
      error.printStackTrace(System.out);
      // Only returning would leave Kafka's own threads running.
      System.exit(1);
      return;
    }
    Files.createFile(Path.of(args[2]));
    System.out.println("galewatch: ready");
    server.awaitShutdown();
  }

  private static KafkaZkClient connect(String servers) {
    return KafkaZkClient.apply(
        servers,
        true, // what it makes is readable by the brokers only
        TIMEOUT_MS,
        TIMEOUT_MS,
        1,
        Time.SYSTEM,
        "start",
        new ZKClientConfig(),
        "kafka.server",
        "SessionExpireListener",
        true, // makes a missing chroot; without it, the credential would silently go nowhere
        false);
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

  /** Waits until the broker knows of itself, of a controller and of every topic with the leaders of its own partitions. */
  private static void awaitMetadata(ZkMetadataCache known, KafkaZkClient zooKeeper, int id)
      throws InterruptedException {
    var topics = CollectionConverters.asJava(zooKeeper.getAllTopicsInCluster(false));
    while (!(known.hasAliveBroker(id)
        && known.getControllerId().isDefined()
        && topics.stream().allMatch(topic -> hasLeaders(known, topic, id)))) {
      Thread.sleep(POLL_MS);
    }
  }

  private static boolean hasLeaders(ZkMetadataCache known, String topic, int id) {
    Option<Object> partitions = known.numPartitions(topic);
    if (partitions.isEmpty()) {
      return false;
    }
    for (int partition = 0; partition < (Integer) partitions.get(); partition++) {
      Option<UpdateMetadataPartitionState> state = known.getPartitionInfo(topic, partition);
      // A partition whose last leader was another broker may have to wait for that one.
      if (state.isEmpty() || state.get().isr().contains(id) && state.get().leader() < 0) {
        return false;
      }
    }
    return true;
  }
}
