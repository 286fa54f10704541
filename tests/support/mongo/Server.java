import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * mongo-java-server on a free port of the loopback.  DIR/port is there, whole,
 * as soon as the server answers; who forgets to stop it removes DIR.
 */
public class Server {
    public static void main(String[] args) throws Exception {
        Path dir = Path.of(args[0]);
        MongoServer server = new MongoServer(
            new MemoryBackend().version(ServerVersion.MONGO_5_0));
        server.bind(new InetSocketAddress("127.0.0.1", 0));
        Path made = Files.writeString(dir.resolve("port.new"),
            server.getLocalAddress().getPort() + "\n");
        Files.move(made, dir.resolve("port"), StandardCopyOption.ATOMIC_MOVE);
        while (Files.isDirectory(dir)) {
            Thread.sleep(500);
        }
        server.shutdownNow();
    }
}
