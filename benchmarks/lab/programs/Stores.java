// Keys of PKCS#12 stores, used by servers: java Stores FOLDER live|freed PROVIDER KIND...
import java.io.InputStream;
import java.net.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.crypto.KeyAgreement;
import javax.net.ssl.*;

public class Stores {
    static List<Object> held = new ArrayList<>();
    static char[] password = "lab".toCharArray();

    static class All extends X509ExtendedTrustManager {
        public void checkClientTrusted(X509Certificate[] c, String a) {}
        public void checkServerTrusted(X509Certificate[] c, String a) {}
        public void checkClientTrusted(X509Certificate[] c, String a, Socket s) {}
        public void checkServerTrusted(X509Certificate[] c, String a, Socket s) {}
        public void checkClientTrusted(X509Certificate[] c, String a, SSLEngine e) {}
        public void checkServerTrusted(X509Certificate[] c, String a, SSLEngine e) {}
        public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    }

    static void serve(String folder, boolean own, String kind) throws Exception {
        KeyStore store = own ? KeyStore.getInstance("PKCS12") : KeyStore.getInstance("PKCS12", "BC");
        try (InputStream in = Files.newInputStream(Path.of(folder, kind + ".p12"))) { store.load(in, password); }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(store, password);
        SSLContext server = SSLContext.getInstance("TLS"), client = SSLContext.getInstance("TLS");
        server.init(keys.getKeyManagers(), null, null);
        client.init(null, new TrustManager[] { new All() }, null);
        InetAddress here = InetAddress.getLoopbackAddress();
        ServerSocket listen = server.getServerSocketFactory().createServerSocket(0, 5, here);
        for (int i = 0; i < 3; i++) {
            Thread answer = new Thread(() -> {
                try (Socket one = listen.accept()) {
                    one.getOutputStream().write(1);
                    one.getInputStream().read();
                } catch (Exception e) {
                    System.err.println("failed: " + kind + " " + e);
                }
            });
            answer.start();
            try (Socket one = client.getSocketFactory().createSocket(here, listen.getLocalPort())) {
                one.getInputStream().read();
                one.getOutputStream().write(1);
            }
            answer.join();
        }
        held.addAll(List.of(store, server, listen));
    }

    static void agree(String folder, boolean own, String kind) throws Exception {
        byte[] der = Files.readAllBytes(Path.of(folder, kind + ".der"));
        KeyFactory factory = own ? KeyFactory.getInstance("X25519") : KeyFactory.getInstance("X25519", "BC");
        PrivateKey key = factory.generatePrivate(new PKCS8EncodedKeySpec(der));
        KeyAgreement agreement = own ? KeyAgreement.getInstance("X25519") : KeyAgreement.getInstance("X25519", "BC");
        agreement.init(key);
        held.addAll(List.of(key, agreement));
    }

    public static void main(String[] args) throws Exception {
        boolean own = !args[2].equals("BC");
        if (!own)
            Security.addProvider((Provider) Class.forName("org.bouncycastle.jce.provider.BouncyCastleProvider")
                .getDeclaredConstructor().newInstance());
        for (int i = 3; i < args.length; i++)
            try {
                if (args[i].equals("x25519")) agree(args[0], own, args[i]);
                else serve(args[0], own, args[i]);
            } catch (Exception e) {
                System.err.println("failed: " + args[i] + " " + e);
            }
        if (args[1].equals("freed")) {
            for (Object each : held) if (each instanceof ServerSocket) ((ServerSocket) each).close();
            held = new ArrayList<>();
        }
        for (int i = 0; i < 3; i++) System.gc();
        held.add(new byte[64]);
        System.out.println("ready");
        Thread.sleep(3600_000);
        System.out.println(held);
    }
}
