using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;

namespace Cloister.Images.Build;

/// <summary>Every input of an image with its version and digest: <c>image.lock</c>, JSON, one form for one content (docs/formats/image-lock.md).</summary>
public sealed class ImageLock
{
    /// <summary>Most bytes of a lock.</summary>
    public const int MaximumSize = 4 << 20;

    private const int Version = 1, MaximumInputs = 20_000, MaximumText = 4096;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Makes a lock; inputs are put in order.</summary>
    /// <param name="request">The packages that were asked for, and the ones that were left out with a minus before them.</param>
    /// <param name="inputs">All inputs.</param>
    public ImageLock(IEnumerable<string> request, IEnumerable<LockedInput> inputs)
    {
        Request = [.. request];
        Inputs = [.. inputs.OrderBy(input => input.Kind, StringComparer.Ordinal).ThenBy(input => input.Name, StringComparer.Ordinal).ThenBy(input => input.Sha256, StringComparer.Ordinal)];
    }

    /// <summary>The packages that were asked for, and the ones that were left out with a minus before them.</summary>
    public ImmutableArray<string> Request { get; }

    /// <summary>All inputs, by kind and name.</summary>
    public ImmutableArray<LockedInput> Inputs { get; }

    /// <summary>Reads a lock.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ImageInvalid"/>.</exception>
    public static ImageLock Read(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaximumSize) throw Refuse($"it has more than {MaximumSize:N0} bytes");
        try
        {
            using var document = JsonDocument.Parse(utf8.ToArray(), new JsonDocumentOptions { MaxDepth = 8 });
            JsonElement root = document.RootElement;
            Members(root, "version", "request", "inputs");
            if (root.GetProperty("version").GetInt32() != Version) throw Refuse("its version is unknown");
            if (root.GetProperty("inputs").GetArrayLength() > MaximumInputs) throw Refuse($"it has more than {MaximumInputs:N0} inputs");
            return new ImageLock(root.GetProperty("request").EnumerateArray().Select(Text), root.GetProperty("inputs").EnumerateArray().Select(ReadInput));
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new ImageException(ImageError.ImageInvalid, $"image.lock cannot be read: {malformed.Message}", malformed);
        }
    }

    /// <summary>Writes the lock.</summary>
    public byte[] Write()
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output, Indented))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", Version);
            writer.WriteStartArray("request");
            foreach (string name in Request)
                writer.WriteStringValue(name);
            writer.WriteEndArray();
            writer.WriteStartArray("inputs");
            foreach (LockedInput input in Inputs)
            {
                writer.WriteStartObject();
                writer.WriteString("kind", input.Kind);
                writer.WriteString("name", input.Name);
                writer.WriteString("version", input.Version);
                writer.WriteString("sha256", input.Sha256);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        output.Write("\n"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>What is not as this lock says, a line each; empty if everything is.</summary>
    public IReadOnlyList<string> Differences(ImageLock now)
    {
        ArgumentNullException.ThrowIfNull(now);
        var lines = new List<string>();
        ILookup<string, LockedInput> before = Inputs.ToLookup(Key), after = now.Inputs.ToLookup(Key);
        foreach (string key in before.Select(group => group.Key).Union(after.Select(group => group.Key)).Order(StringComparer.Ordinal))
        {
            LockedInput[] gone = [.. before[key].Except(after[key])], come = [.. after[key].Except(before[key])];
            if (gone.Length == 1 && come.Length == 1) lines.Add($"changed  {gone[0]}, now {Short(come[0])}");
            else lines.AddRange([.. gone.Select(input => $"gone     {input}"), .. come.Select(input => $"new      {input}")]);
        }
        return lines;
    }

    /// <summary>Fuzz target: any bytes give a lock or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            ImageLock read = Read(bytes);
            if (Read(read.Write()).Differences(read).Count > 0) throw new ArgumentException("A lock changed when it was written and read.");
        }
        catch (ImageException)
        {
            return;
        }
    }

    private static string Key(LockedInput input) => $"{input.Kind} {input.Name}";

    private static string Short(LockedInput input) => input.ToString()[(Key(input).Length + 1)..];

    private static LockedInput ReadInput(JsonElement value)
    {
        Members(value, "kind", "name", "version", "sha256");
        return new LockedInput(Text(value.GetProperty("kind")), Text(value.GetProperty("name")), Text(value.GetProperty("version")), Text(value.GetProperty("sha256")) is var digest && (digest.Length == 0 || (digest.Length == 64 && digest.All(char.IsAsciiHexDigitLower))) ? digest : throw Refuse("a digest is none"));
    }

    private static void Members(JsonElement value, params string[] known)
    {
        string[] names = [.. value.EnumerateObject().Select(member => member.Name).Take(known.Length + 1).Order(StringComparer.Ordinal)];
        if (!names.SequenceEqual(known.Order(StringComparer.Ordinal))) throw Refuse($"its members are not {string.Join(", ", known)}");
    }

    private static string Text(JsonElement value) => value.GetString() is { Length: <= MaximumText } text ? text : throw Refuse("a text is missing or too long");

    private static ImageException Refuse(string reason) => new(ImageError.ImageInvalid, $"image.lock cannot be read: {reason}.");
}
