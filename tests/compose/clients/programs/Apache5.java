// SPDX-License-Identifier: MIT
// Apache5 URL FOLDER - Apache HttpClient 5.
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.entity.mime.HttpMultipartMode;
import org.apache.hc.client5.http.entity.mime.MultipartEntityBuilder;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.EntityUtils;

public class Apache5 {
	public static void main(String[] args) throws Exception {
		// LEGACY: names as UTF-8. In its other modes they are ASCII only, or file names with %-escapes that nobody decodes.
		MultipartEntityBuilder form = MultipartEntityBuilder.create().setMode(HttpMultipartMode.LEGACY).setCharset(StandardCharsets.UTF_8);
		for (String line : Files.readAllLines(Path.of(args[1], "form.tsv"))) {
			String[] words = line.split("\t");
			Path path = Path.of(words[2]);
			if (words[0].equals("file"))
				form.addBinaryBody(words[1], path.toFile(), ContentType.create(words[4]), words[3]);
			else
				form.addTextBody(words[1], Files.readString(path), ContentType.TEXT_PLAIN.withCharset(StandardCharsets.UTF_8));
		}
		HttpPost request = new HttpPost(args[0]);
		request.setEntity(form.build());
		try (CloseableHttpClient client = HttpClients.createDefault(); CloseableHttpResponse answer = client.execute(request)) {
			System.out.println(answer.getCode());
			System.out.println(EntityUtils.toString(answer.getEntity()));
		}
	}
}
