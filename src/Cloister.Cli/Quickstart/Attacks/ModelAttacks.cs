using System.Text.Json.Nodes;

namespace Cloister.Cli.Quickstart.Attacks;

/// <summary>What a store, a key holder or another maker can do to a sealed model. A genuine workload meets each.</summary>
internal sealed class ModelAttacks(Stack stack, Story story)
{
    private const int ChunkOnDisk = (1 << 20) + 16, HashSize = 32;

    private string Genuine => Path.Combine(stack.Workspace.Store, StoryManifest.Model + ".sealed");

    public IEnumerable<Attack> All() =>
    [
        new("the store changes one byte of the sealed model", cancellation => ChangedAsync("tampered", bytes => bytes[^1000] ^= 1, cancellation)),
        new("the store cuts the sealed model short", cancellation => ChangedAsync("truncated", bytes => bytes[..^4096], cancellation)),
        new("the store re-orders the sealed model", cancellation => ChangedAsync("reordered", Reorder, cancellation)),
        new("the model is signed by somebody else who has its key", ForeignMakerAsync),
        new("the key that was released is a wrong one", WrongKeyAsync),
    ];

    private Task<AttackOutcome> ChangedAsync(string name, Action<byte[]> change, CancellationToken cancellation) => ChangedAsync(name, bytes =>
    {
        change(bytes);
        return bytes;
    }, cancellation);

    private async Task<AttackOutcome> ChangedAsync(string name, Func<byte[], byte[]> change, CancellationToken cancellation)
    {
        string store = Store(name);
        await File.WriteAllBytesAsync(Path.Combine(store, Path.GetFileName(Genuine)), change(await File.ReadAllBytesAsync(Genuine, cancellation)), cancellation);
        return await ServeAsync(store, name, cancellation);
    }

    // Two pieces of ciphertext change places: whole chunks where there are several, else halves of the only one.
    private static byte[] Reorder(byte[] bytes)
    {
        int piece = bytes.Length > 3 * ChunkOnDisk ? ChunkOnDisk : 4096;
        int first = bytes.Length - (2 * piece) - HashSize, second = bytes.Length - piece - HashSize;
        byte[] kept = bytes[first..(first + piece)];
        bytes.AsSpan(second, piece).CopyTo(bytes.AsSpan(first));
        kept.CopyTo(bytes, second);
        return bytes;
    }

    private async Task<AttackOutcome> ForeignMakerAsync(CancellationToken cancellation)
    {
        string store = Store("foreign"), attacker = Path.Combine(stack.Workspace.Operator, "foreign-maker");
        await Stack.RunAsync(new Step(), ["model", "keygen", "--out", attacker], cancellation);
        await Stack.RunAsync(new Step(), story.SealArguments("maker.pem", attacker, Path.Combine(store, Path.GetFileName(Genuine))), cancellation);
        return await ServeAsync(store, "foreign", cancellation);
    }

    private async Task<AttackOutcome> WrongKeyAsync(CancellationToken cancellation)
    {
        string wrong = Path.Combine(stack.Workspace.Owner, "wrong");
        await Stack.RunAsync(new Step(), ["model", "keygen", "--out", wrong], cancellation);
        await Stack.RunAsync(new Step(), stack.ReleaseArguments(Path.Combine(wrong, "model.key"), stack.ClientAddress), cancellation);
        try
        {
            return await ServeAsync(stack.Workspace.Store, "wrong-key", cancellation);
        }
        finally
        {
            await Stack.RunAsync(new Step(), stack.ReleaseArguments(Path.Combine(stack.Workspace.Owner, "model.key"), stack.ClientAddress), cancellation);
        }
    }

    private async Task<AttackOutcome> ServeAsync(string store, string name, CancellationToken cancellation)
    {
        await using CloisterProcess process = CloisterProcess.Start(Workspace.ExecutableIn(stack.Workspace.Workload), stack.ServeArguments(store, "uuid-" + name));
        JsonObject model = await process.WaitForAsync("model", cancellation);
        return (string?)model["reason"] is { } reason ? AttackOutcome.RefusedBy("the workload", reason) : AttackOutcome.Accepted("the workload");
    }

    private string Store(string name) => Directory.CreateDirectory(Path.Combine(stack.Workspace.Operator, "store-" + name)).FullName;
}
