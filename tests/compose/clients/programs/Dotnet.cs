// SPDX-License-Identifier: MIT
// Dotnet URL FOLDER - System.Net.Http.HttpClient with MultipartFormDataContent.
using System;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;

public static class Dotnet
{
	static HttpContent Content(string[] words)
	{
		if (words[0] == "value")
			return new StringContent(File.ReadAllText(words[2]));
		var content = new StreamContent(File.OpenRead(words[2]));
		content.Headers.ContentType = new MediaTypeHeaderValue(words[4]);
		return content;
	}

	// It throws at a name with quotes in it, escaped or not; so they are written as browsers do.
	static string Quoted(string name)
	{
		return name.Replace("\"", "%22");
	}

	// What it offers for a file name with quotes: filename* alone.
	static HttpContent Starred(string[] words)
	{
		var content = Content(words);
		content.Headers.ContentDisposition = new ContentDispositionHeaderValue("form-data") { Name = words[1], FileNameStar = words[3] };
		return content;
	}

	public static void Main(string[] args)
	{
		var form = new MultipartFormDataContent();
		foreach (var line in File.ReadAllLines(args[1] + "/form.tsv"))
		{
			var words = line.Split('\t');
			if (words[0] == "value")
				form.Add(Content(words), Quoted(words[1]));
			else if (words[3].Contains("\""))
				form.Add(Starred(words));
			else
				form.Add(Content(words), Quoted(words[1]), words[3]);
		}
		var client = new HttpClient { Timeout = TimeSpan.FromSeconds(240) };
		var answer = client.PostAsync(args[0], form).Result;
		Console.WriteLine((int)answer.StatusCode);
		Console.WriteLine(answer.Content.ReadAsStringAsync().Result);
	}
}
