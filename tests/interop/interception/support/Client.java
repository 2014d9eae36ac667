import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Asks each URL with both of Java's clients and prints what they got. It knows of no proxy. */
class Client {
  public static void main(String[] urls) throws Exception {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    for (String url : urls) {
      HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
      try (InputStream body = connection.getInputStream()) {
        System.out.println(connection.getResponseCode() + " " + new String(body.readAllBytes()).trim());
      }
      HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
      HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
      System.out.println(response.statusCode() + " " + response.body().trim());
    }
  }
}
