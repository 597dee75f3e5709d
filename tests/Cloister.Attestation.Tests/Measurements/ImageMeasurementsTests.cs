using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;

namespace Cloister.Tests.Measurements;

public sealed class ImageMeasurementsTests
{
    [Fact]
    public void The_written_form_is_frozen() =>
        Assert.Equal("38d3ab75ee40af44fc6f02c724b9853341c44daf4d97de6e310e5693a5b50b21", Convert.ToHexStringLower(SHA256.HashData(ImageMeasurementsJson.Write(Example))));

    [Fact]
    public void What_is_written_is_read()
    {
        byte[] written = ImageMeasurementsJson.Write(Example);
        ImageMeasurements read = ImageMeasurementsJson.Read(written).Value;
        Assert.Equal(written, ImageMeasurementsJson.Write(read));
        Assert.Equal((Example.Name, Example.Product, Example.Version, Example.Debug, Example.Uki, Example.RootHash), (read.Name, read.Product, read.Version, read.Debug, read.Uki, read.RootHash));
        Assert.Equal(Example.Pcrs[BootPath.Disk], read.Pcrs[BootPath.Disk]);
    }

    [Theory]
    [InlineData("\"Format\": 1", "\"Format\": 2", "measurements.Format")]
    [InlineData("\"Debug\": false,", "", "measurements.Debug")]
    [InlineData("\"Debug\": false", "\"Debug\": 0", "measurements.Debug")]
    [InlineData("\"Debug\": false", "\"Debug\": false, \"Debug\": true", "measurements.Debug")]
    [InlineData("\"Debug\": false", "\"Debug\": false, \"debug\": true", "measurements.debug")]
    [InlineData("\"Name\": \"web\"", "\"Name\": \"Web\"", "measurements.Name")]
    [InlineData("\"Name\": \"web\"", "\"Name\": \"\"", "measurements.Name")]
    [InlineData("\"Name\": \"web\"", "\"Name\": \"\\ud800\"", "measurements")]
    [InlineData("\"Product\": 3", "\"Product\": 65536", "measurements.Product")]
    [InlineData("\"Uki\": \"01", "\"Uki\": \"0A", "measurements.Uki")]
    [InlineData("\"Uki\": \"01", "\"Uki\": \"", "measurements.Uki")]
    [InlineData("\"12\": \"", "\"13\": \"", "measurements.Pcrs.Kernel.13")]
    [InlineData("\"Disk\"", "\"Floppy\"", "measurements.Pcrs.Floppy")]
    public void Another_form_is_refused(string old, string replacement, string field)
    {
        string text = Encoding.UTF8.GetString(ImageMeasurementsJson.Write(Example));
        Assert.Contains(old, text, StringComparison.Ordinal);
        Outcome<ImageMeasurements> read = ImageMeasurementsJson.Read(Encoding.UTF8.GetBytes(text.Replace(old, replacement, StringComparison.Ordinal)));
        Assert.Equal((Refusal.MeasurementsMalformed, field), (read.Refusal, read.Field));
    }

    [Fact]
    public void Hostile_documents_never_throw()
    {
        byte[] written = ImageMeasurementsJson.Write(Example);
        Assert.Equal(Refusal.MeasurementsMalformed, ImageMeasurementsJson.Read([.. written, (byte)'x']).Refusal);
        Assert.Equal(Refusal.MeasurementsMalformed, ImageMeasurementsJson.Read([.. written, .. Enumerable.Repeat((byte)' ', ImageMeasurementsJson.MaximumSize)]).Refusal);
        Assert.Equal(Refusal.MeasurementsMalformed, ImageMeasurementsJson.Read([.. Enumerable.Repeat((byte)'[', 2000)]).Refusal);
        foreach (byte[] mutated in Mutations.Of(written, 10_000, seed: 10)) ImageMeasurementsJson.Fuzz(mutated);
    }

    [Fact]
    public void A_callers_mistake_is_not_written() =>
        Assert.Throws<ArgumentException>(() => ImageMeasurementsJson.Write(Example with { Uki = "00" }));

    internal static ImageMeasurements Example { get; } = new()
    {
        Name = "web",
        Product = 3,
        Version = 7,
        Debug = false,
        Uki = string.Concat(Enumerable.Repeat("01", 32)),
        RootHash = string.Concat(Enumerable.Repeat("02", 32)),
        Pcrs = Enum.GetValues<BootPath>().ToImmutableSortedDictionary(path => path, path => BootPrediction.Pcrs.ToImmutableSortedDictionary(pcr => pcr, pcr => string.Concat(Enumerable.Repeat($"{pcr:x2}", 32)))),
    };
}
