using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Cloister.Attestation.Measurements;

/// <summary>Reads and writes <c>measurements.json</c> (docs/formats/measurements.md). One image has exactly one written form; what is not known is refused.</summary>
public static class ImageMeasurementsJson
{
    /// <summary>The format's version.</summary>
    public const int Format = 1;

    /// <summary>Largest document that is read, bytes.</summary>
    public const int MaximumSize = 16 << 10;

    private const int DigestLength = 64, MaximumName = 64, MaximumNumber = ushort.MaxValue, MaximumDepth = 8;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    private static readonly string[] PcrNames = [.. BootPrediction.Pcrs.Select(pcr => pcr.ToString(CultureInfo.InvariantCulture))];

    /// <summary>The canonical form, UTF-8 with a newline at its end.</summary>
    /// <exception cref="ArgumentException">A member is not of its form.</exception>
    public static byte[] Write(ImageMeasurements measurements)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Indented))
        {
            Write(writer, measurements);
        }
        buffer.Write("\n"u8);
        byte[] written = buffer.WrittenSpan.ToArray();
        Outcome<ImageMeasurements> read = Read(written);
        return read.IsAccepted ? written : throw new ArgumentException($"{read.Field} {read.Reason}.", nameof(measurements));
    }

    /// <summary>Reads a document.</summary>
    public static Outcome<ImageMeasurements> Read(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaximumSize) return Refuse("measurements", $"has more than {MaximumSize} bytes");
        try
        {
            using var document = JsonDocument.Parse(utf8.ToArray(), new JsonDocumentOptions { MaxDepth = MaximumDepth });
            return Outcome.Accept(Read(document.RootElement, "measurements"));
        }
        catch (JsonException malformed)
        {
            return Refuse("measurements", $"not JSON: {malformed.Message}");
        }
        catch (PolicyRefusedException refused)
        {
            return Refuse(refused.Field, refused.Message);
        }
        catch (InvalidOperationException)
        {
            // A text with half a surrogate pair is found only when it is taken out.
            return Refuse("measurements", "a text in it is not Unicode");
        }
    }

    /// <summary>Fuzz target: never throws.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Read(bytes).TryGetValue(out ImageMeasurements? measurements)) _ = Write(measurements);
    }

    /// <exception cref="PolicyRefusedException">It is not of its form.</exception>
    internal static ImageMeasurements Read(JsonElement value, string at)
    {
        var members = new PolicyMembers(value, at, "Format", "Name", "Product", "Version", "Debug", "Uki", "RootHash", "Pcrs");
        if (members.PlainNumber("Format", int.MaxValue) != Format) throw Malformed(members.At("Format"), $"is not {Format}");
        return new ImageMeasurements
        {
            Name = Text(members, "Name", IsName, $"1 to {MaximumName} lower-case letters, digits and dashes"),
            Product = (int)members.PlainNumber("Product", MaximumNumber),
            Version = (int)members.PlainNumber("Version", MaximumNumber),
            Debug = members.Flag("Debug"),
            Uki = Digest(members, "Uki"),
            RootHash = Digest(members, "RootHash"),
            Pcrs = ReadPaths(members.Element("Pcrs"), members.At("Pcrs")),
        };
    }

    internal static void Write(Utf8JsonWriter writer, ImageMeasurements measurements)
    {
        writer.WriteStartObject();
        writer.WriteNumber("Format", Format);
        writer.WriteString("Name", measurements.Name);
        writer.WriteNumber("Product", measurements.Product);
        writer.WriteNumber("Version", measurements.Version);
        writer.WriteBoolean("Debug", measurements.Debug);
        writer.WriteString("Uki", measurements.Uki);
        writer.WriteString("RootHash", measurements.RootHash);
        writer.WriteStartObject("Pcrs");
        foreach ((BootPath path, ImmutableSortedDictionary<int, string> pcrs) in measurements.Pcrs)
        {
            writer.WriteStartObject(path.ToString());
            foreach ((int pcr, string digest) in pcrs)
                writer.WriteString(pcr.ToString(CultureInfo.InvariantCulture), digest);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    // Every boot path with every predicted PCR: an image whose path is left out could be pinned to nothing.
    private static ImmutableSortedDictionary<BootPath, ImmutableSortedDictionary<int, string>> ReadPaths(JsonElement value, string at)
    {
        var paths = new PolicyMembers(value, at, Enum.GetNames<BootPath>());
        return Enum.GetValues<BootPath>().ToImmutableSortedDictionary(path => path, path =>
        {
            var pcrs = new PolicyMembers(paths.Element(path.ToString()), paths.At(path.ToString()), PcrNames);
            return BootPrediction.Pcrs.Zip(PcrNames).ToImmutableSortedDictionary(pcr => pcr.First, pcr => Digest(pcrs, pcr.Second));
        });
    }

    private static string Digest(PolicyMembers members, string name) => Text(members, name, text => text.Length == DigestLength && text.All(char.IsAsciiHexDigitLower), $"{DigestLength} lower-case hexadecimal digits");

    private static string Text(PolicyMembers members, string name, Func<string, bool> isOfForm, string form) =>
        members.Element(name) is { ValueKind: JsonValueKind.String } element && element.GetString() is { } text && isOfForm(text) ? text : throw Malformed(members.At(name), $"is not {form}");

    private static bool IsName(string text) => text.Length is > 0 and <= MaximumName && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-');

    private static PolicyRefusedException Malformed(string at, string reason) => new(Refusal.PolicyMalformed, at, reason);

    private static Outcome<ImageMeasurements> Refuse(string field, string reason) => Outcome.Refuse<ImageMeasurements>(Refusal.MeasurementsMalformed, field, reason);
}
