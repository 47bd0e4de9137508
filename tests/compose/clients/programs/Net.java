// SPDX-License-Identifier: MIT
// Net URL FOLDER HTTP_1_1|HTTP_2 - java.net.http.HttpClient. It makes no forms, so its body is put together here.
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Net {
	static final String BOUNDARY = "java-net-http-" + System.nanoTime();

	static String quoted(String text) {
		return text.replace("\"", "%22");
	}

	static String headOf(String[] words) {
		String head = "--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"" + quoted(words[1]) + "\"";
		if (words[0].equals("file"))
			head += "; filename=\"" + quoted(words[3]) + "\"\r\nContent-Type: " + words[4];
		return head + "\r\n\r\n";
	}

	static HttpRequest.BodyPublisher body(String folder) throws Exception {
		List<HttpRequest.BodyPublisher> all = new ArrayList<>();
		for (String line : Files.readAllLines(Path.of(folder, "form.tsv"))) {
			String[] words = line.split("\t");
			all.add(HttpRequest.BodyPublishers.ofString(headOf(words)));
			all.add(HttpRequest.BodyPublishers.ofFile(Path.of(words[2])));
			all.add(HttpRequest.BodyPublishers.ofString("\r\n"));
		}
		all.add(HttpRequest.BodyPublishers.ofString("--" + BOUNDARY + "--\r\n"));
		return HttpRequest.BodyPublishers.concat(all.toArray(new HttpRequest.BodyPublisher[0]));
	}

	static SSLContext trusting(String authority) throws Exception {
		KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
		store.load(null);
		try (InputStream file = Files.newInputStream(Path.of(authority))) {
			store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
		}
		TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
		factory.init(store);
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(null, factory.getTrustManagers(), null);
		return context;
	}

	public static void main(String[] args) throws Exception {
		HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.valueOf(args[2]))
			.sslContext(trusting(System.getenv("CA"))).build();
		HttpRequest request = HttpRequest.newBuilder(URI.create(args[0]))
			.header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY).POST(body(args[1])).build();
		HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
		System.out.println(answer.statusCode());
		System.out.println(answer.body());
	}
}
