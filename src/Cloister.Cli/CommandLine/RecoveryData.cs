using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.Cli.CommandLine;

/// <summary>Recovery secrets that a coordinator hands out once: to a file, or printed. Each is encrypted to its recovery key.</summary>
internal static class RecoveryData
{
    public static Option<string?> Option() => new("--recoverydata", "-r") { Description = "Write the recovery secrets to this file instead of printing them." };

    /// <summary>Delivers them; what to print is returned. They are printed if the file cannot be written: nobody gets them a second time.</summary>
    public static async Task<string> DeliverAsync(IReadOnlyDictionary<string, byte[]> secrets, string? path, JsonObject document, CancellationToken cancellation)
    {
        if (secrets.Count == 0)
            return "";
        var named = new JsonObject();
        foreach ((string name, byte[] secret) in secrets.OrderBy(secret => secret.Key, StringComparer.Ordinal))
            named[name] = Convert.ToBase64String(secret);
        string json = new JsonObject { ["RecoverySecrets"] = named.DeepClone() }.ToJsonString();
        if (path is null)
        {
            document["RecoverySecrets"] = named;
            return $"\nkeep these recovery secrets, they are not given again:\n{json}";
        }
        try
        {
            await LocalFile.WriteAsync(path, Encoding.UTF8.GetBytes(json), cancellation);
            document["recoveryData"] = path;
            return $"\nwrote the recovery secrets to '{path}'";
        }
        catch (CommandException failed)
        {
            document["RecoverySecrets"] = named;
            return $"\n{failed.Message}\nkeep these recovery secrets, they are not given again:\n{json}";
        }
    }
}
