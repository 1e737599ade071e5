package org.vse.job.peer;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.handler.codec.http.QueryStringEncoder;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.ImageSource;

/** The image store of another node, through its daemon: docs/api.md, "Between nodes". */
public final class PeerSource implements ImageSource {
    private final String node;
    private final PeerClient client;
    private final ObjectMapper json;
    private final Duration patience;

    /**
     * Takes whom to ask.
     *
     * @param patience until one whole answer is there
     */
    public PeerSource(String node, PeerClient client, ObjectMapper json, Duration patience) {
        this.node = node;
        this.client = client;
        this.json = json;
        this.patience = patience;
    }

    @Override
    public String name() {
        return node;
    }

    @Override
    public Optional<String> digest(String tagged) {
        QueryStringEncoder path = new QueryStringEncoder("/v1/images");
        path.addParam("tag", tagged);
        try {
            return Optional.ofNullable(json.readTree(ask(path)).path("digest").textValue());
        } catch (IOException e) {
            throw failed(e.toString()).because(e);
        }
    }

    @Override
    public byte[] manifest(String digest) {
        QueryStringEncoder path = new QueryStringEncoder("/v1/images/manifest");
        path.addParam("image", digest);
        return ask(path);
    }

    @Override
    public byte[] piece(Piece piece) {
        QueryStringEncoder path = new QueryStringEncoder("/v1/images/piece");
        path.addParam("image", piece.image());
        path.addParam("file", piece.file());
        path.addParam("index", Integer.toString(piece.index()));
        return ask(path);
    }

    private byte[] ask(QueryStringEncoder path) {
        CompletableFuture<byte[]> answer = client.bytes(node, path.toString(), patience);
        try {
            return answer.get();
        } catch (InterruptedException e) {
            answer.cancel(false);
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while an image was fetched")
                    .because(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof VseException said) {
                throw said.code() == ErrorCode.IMAGE_UNKNOWN ? said : refused(said);
            }
            throw failed(String.valueOf(e.getCause())).because(e);
        }
    }

    private VseException refused(VseException said) {
        VseException failed = failed(said.code() + ": " + said.what()).because(said);
        said.facts().forEach(failed::fact);
        return failed.next(
                said.next() == null ? "see that vsed runs there and has the same version as here" : said.next());
    }

    private VseException failed(String reason) {
        return VseException.of(ErrorCode.IMAGE_SOURCE_FAILED, "image source '" + node + "' did not answer")
                .fact("answer", reason);
    }
}
