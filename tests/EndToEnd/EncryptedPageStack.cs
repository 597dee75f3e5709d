using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd;

/// <summary>The stack that `quickstart --mode encrypted --keep` leaves running, and the program that serves the page to this machine's browser.</summary>
public sealed class EncryptedPageStack : IAsyncLifetime
{
    private Process? _quickstart, _page;

    /// <summary>What the quickstart's own client was answered, and the plaintext model's answers beside it.</summary>
    public JsonObject Answers { get; private set; } = null!;

    /// <summary>Where the page is.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>The caller's token.</summary>
    public string Token { get; private set; } = "";

    public async Task InitializeAsync()
    {
        if (!EncryptedPageFactAttribute.IsInstalled) return;
        _quickstart = CloisterCommand.Start("quickstart", "--mode", "encrypted", "--keep", "--json");
        Answers = await CloisterCommand.WaitForAsync(_quickstart, "answers");
        JsonObject kept = await CloisterCommand.WaitForAsync(_quickstart, "kept");
        string client = Path.Combine((string)kept["workspace"]!, "client");
        Token = (await File.ReadAllTextAsync(Path.Combine(client, "token"))).Trim();
        _page = CloisterCommand.Start("he", "page", "--json", "--port", "0", "--coordinator", (string)kept["coordinator"]!, "--policy", Path.Combine(client, "policy.json"),
            "--workload", (string)kept["workload"]!, "--type", "inference", "--model", "spam", "--token", Path.Combine(client, "token"), "--folder", EncryptedPageFactAttribute.Page);
        Address = new Uri((string)(await CloisterCommand.WaitForAsync(_page, "page"))["address"]!);
    }

    public async Task DisposeAsync()
    {
        foreach (Process? process in (Process?[])[_page, _quickstart])
        {
            if (process is null) continue;
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
