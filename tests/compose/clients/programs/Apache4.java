// SPDX-License-Identifier: MIT
// Apache4 URL FOLDER - Apache HttpClient 4 with httpmime.
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.mime.HttpMultipartMode;
import org.apache.http.entity.mime.MultipartEntityBuilder;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

public class Apache4 {
	public static void main(String[] args) throws Exception {
		// RFC6532: names as UTF-8. Its strict mode has ASCII only, and turns the rest into question marks.
		MultipartEntityBuilder form = MultipartEntityBuilder.create().setMode(HttpMultipartMode.RFC6532).setCharset(StandardCharsets.UTF_8);
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
			System.out.println(answer.getStatusLine().getStatusCode());
			System.out.println(EntityUtils.toString(answer.getEntity()));
		}
	}
}
