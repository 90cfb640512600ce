// Keys of the JDK's providers, or of Bouncy Castle: java Keys FOLDER live|freed PROVIDER KIND...
import java.nio.file.*;
import java.security.*;
import java.security.spec.*;
import java.util.*;
import javax.crypto.KeyAgreement;

public class Keys {
    static List<Object> held = new ArrayList<>();

    static void load(String folder, String provider, String kind) throws Exception {
        String family = kind.startsWith("rsa") ? "RSA" : kind.startsWith("ec") ? "EC" : kind.startsWith("dsa") ? "DSA"
            : kind.equals("ed25519") ? "Ed25519" : kind.equals("ed448") ? "Ed448" : kind.toUpperCase();
        String how = family.equals("EC") ? "SHA256withECDSA" : family.equals("RSA") || family.equals("DSA")
            ? "SHA256with" + family : family;
        byte[] der = Files.readAllBytes(Path.of(folder, kind + ".der"));
        boolean own = provider.equals("jdk");
        PrivateKey key = (own ? KeyFactory.getInstance(family) : KeyFactory.getInstance(family, provider))
            .generatePrivate(new PKCS8EncodedKeySpec(der));
        if (family.startsWith("X")) {
            KeyAgreement agreement = own ? KeyAgreement.getInstance(family) : KeyAgreement.getInstance(family, provider);
            agreement.init(key);
            held.add(agreement);
        } else {
            for (int i = 0; i < 3; i++) {
                Signature signature = own ? Signature.getInstance(how) : Signature.getInstance(how, provider);
                signature.initSign(key);
                signature.update("lab".getBytes());
                signature.sign();
                held.add(signature);
            }
        }
        Arrays.fill(der, (byte) 0);
        held.add(key);
    }

    public static void main(String[] args) throws Exception {
        if (args[2].equals("BC"))
            Security.addProvider((Provider) Class.forName("org.bouncycastle.jce.provider.BouncyCastleProvider")
                .getDeclaredConstructor().newInstance());
        for (int i = 3; i < args.length; i++)
            try {
                load(args[0], args[2], args[i]);
            } catch (Exception e) {
                System.err.println("failed: " + args[i] + " " + e);
            }
        if (args[1].equals("freed")) {
            held = new ArrayList<>();
            for (int i = 0; i < 2; i++) System.gc();
            held.add(new byte[64]);
        }
        System.out.println("ready");
        Thread.sleep(3600_000);
        System.out.println(held);
    }
}
