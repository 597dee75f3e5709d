using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Samples.Spam;
using Cloister.Serving.Tests.Observation;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>The page that encrypts in the browser, as a person meets it in Chromium, against a real server with a sealed encrypted model.</summary>
public sealed class EncryptedPageTests(EncryptedPageStack stack) : IClassFixture<EncryptedPageStack>
{
    private const string Own = "Subject: hello\n\nDear friend, would you like to make money fast from your own home?! It is FREE.\n";

    [EncryptedPageFact]
    public async Task A_person_asks_and_nothing_but_ciphertext_leaves_the_browser()
    {
        string folder = Environment.GetEnvironmentVariable("CLOISTER_SCREENSHOTS") is { Length: > 0 } kept ? kept : Directory.CreateTempSubdirectory("cloister-page-").FullName;
        string[] mails = ["lottery", "dinner", "meeting", "lottery"];
        JsonObject seen = await LookAsync(folder, mails);

        Assert.Empty(seen["complaints"]!.AsArray());
        Assert.Equal("Ready. The key was made here a moment ago.", (string)seen["begun"]!["state"]!);
        Assert.True((bool)seen["begun"]!["simulated"]!);
        Assert.True((int)seen["begun"]!["learns"]! >= 3);
        Assert.False((bool)seen["overflows"]!);
        Assert.False((bool)seen["overflowsNarrow"]!);
        foreach (string picture in (string[])["encrypted-page.png", "encrypted-page-phone.png", "encrypted-page-dark.png"])
            Assert.True(new FileInfo(Path.Combine(folder, picture)).Length > 10_000, "The picture is empty.");

        // What is decrypted on the screen is what the plaintext model says.
        JsonArray answers = seen["answers"]!.AsArray();
        Assert.Equal(mails.Length + 1, answers.Count);
        foreach (JsonNode? answer in answers.Take(mails.Length))
        {
            JsonNode plain = stack.Answers["answers"]!.AsArray().Single(row => (string)row!["row"]! == (string)answer!["mail"]!)!;
            Assert.Equal((string)plain["plainClass"]!, (string)answer!["verdict"]!);
            Assert.Equal((double)plain["plainValue"]!, (double)answer["probability"]!, 0.005);
        }

        JsonObject[] requests = [.. seen["requests"]!.AsArray().Select(request => request!.AsObject())];
        Assert.All(requests, request => Assert.StartsWith(stack.Address.AbsoluteUri, (string)request["url"]!, StringComparison.Ordinal));
        byte[][] queries = [.. requests.Where(request => ((string)request["url"]!).EndsWith("/infer", StringComparison.Ordinal)).Select(Body)];
        Assert.Equal(answers.Count, queries.Length);
        Assert.Single(queries.Select(query => query.Length).Distinct());
        Assert.Equal(queries.Length, queries.Select(Convert.ToHexString).Distinct().Count());
        foreach ((string text, double[] row) in mails.Select(Mail).Append(Own).Select(text => (text, SpamFeatures.Of(text))))
            foreach (byte[] trace in Traces(text, row))
                Assert.All(requests, request => Assert.True(Whole(request).AsSpan().IndexOf(trace) < 0, $"{(string)request["url"]!} holds a feature or the text."));
        Assert.All(requests, request => Assert.True(Whole(request).AsSpan().IndexOf(Encoding.UTF8.GetBytes(stack.Token)) < 0, "The browser was given the token."));
    }

    [EncryptedPageFact]
    public async Task What_serves_the_page_serves_nothing_else_and_nobody_else()
    {
        using var http = new HttpClient { BaseAddress = stack.Address };
        using HttpResponseMessage page = await http.GetAsync("/");
        string policy = string.Join(";", page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("connect-src 'self'", policy, StringComparison.Ordinal);
        foreach (string path in (string[])["/package.json", "/install", "/../Spam/Program.cs", "/%2e%2e/Spam/Program.cs", "/node_modules/node-seal/package.json", "/v2/models/spam-in-clear/encrypted", "/v2/models/spam", "/v2/models/spam/infer"])
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(path)).StatusCode);
        using var clear = new StringContent("{}");
        Assert.Equal(HttpStatusCode.NotFound, (await http.PostAsync("/v2/models/spam-in-clear/infer", clear)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/v2/models/spam/encrypted")).StatusCode);
        foreach ((string name, string value) in ((string, string)[])[("Host", "attacker.example"), ("Origin", "https://attacker.example"), ("Sec-Fetch-Site", "cross-site")])
        {
            using var foreign = new HttpRequestMessage(HttpMethod.Get, "/v2/models/spam/encrypted");
            foreign.Headers.TryAddWithoutValidation(name, value);
            Assert.Equal(HttpStatusCode.Forbidden, (await http.SendAsync(foreign)).StatusCode);
        }
    }

    private static string Mail(string name) => File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "samples", "Spam", "mails", name + ".txt"));

    private static byte[] Body(JsonObject request) => Convert.FromBase64String((string)request["body"]!);

    private static byte[] Whole(JsonObject request) => [.. Encoding.UTF8.GetBytes((string)request["url"]! + (string)request["headers"]!), .. Body(request)];

    private static IEnumerable<byte[]> Traces(string text, double[] row)
    {
        yield return MemoryMarshal.AsBytes(row.AsSpan()).ToArray();
        yield return MemoryMarshal.AsBytes(Array.ConvertAll(row, value => (float)value).AsSpan()).ToArray();
        yield return Encoding.UTF8.GetBytes(JsonSerializer.Serialize(row).Trim('[', ']'));
        foreach (double value in row.Where(value => value != Math.Round(value, 3)))
        {
            yield return BitConverter.GetBytes(value);
            yield return Encoding.UTF8.GetBytes(value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        yield return Encoding.UTF8.GetBytes(text.Substring(text.Length / 2, 24));
    }

    private async Task<JsonObject> LookAsync(string folder, string[] mails)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[Path.Combine(BrowserFactAttribute.Folder, "encrypted-page.mjs"), BrowserFactAttribute.Chromium!, stack.Address.AbsoluteUri, folder])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token), error = process.StandardError.ReadToEndAsync(patience.Token);
        await process.StandardInput.WriteAsync(JsonSerializer.Serialize(new { mails, own = Own }));
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
        Assert.True(process.ExitCode == 0, await error);
        return JsonNode.Parse(await output)!.AsObject();
    }
}

/// <summary>A fact that needs the page with what it has installed, and a browser.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EncryptedPageFactAttribute : BrowserFactAttribute
{
    public EncryptedPageFactAttribute()
    {
        if (Skip is null && !IsInstalled) Skip = "node-seal is absent: run samples/EncryptedPage/install.";
    }

    public static string Page { get; } = Path.Combine(TestData.RepositoryRoot, "samples", "EncryptedPage");

    public static bool IsInstalled => Directory.Exists(Path.Combine(Page, "node_modules", "node-seal"));
}
