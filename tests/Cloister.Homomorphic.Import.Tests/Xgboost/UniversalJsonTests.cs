using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Import.Xgboost;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Tests.Xgboost;

public sealed class UniversalJsonTests
{
    [Fact]
    public void A_model_reads_as_its_JSON_does()
    {
        foreach (bool typed in (bool[])[false, true])
        {
            PlainModel model = ModelFile.Read(Write(XgboostJson.Small(), typed)), expected = ModelFile.Read(XgboostJson.Bytes(XgboostJson.Small()));
            foreach (double a in (double[])[0, 0.4, 0.5, 1, double.NaN])
                foreach (double b in (double[])[0, 1, 2, 3, double.NaN])
                    Assert.Equal(expected.Predict([a, b]).Scores, model.Predict([a, b]).Scores);
        }
    }

    [Fact]
    public void Every_type_is_read()
    {
        byte[] bytes = [(byte)'{', .. Key("a"), .. "[N"u8, (byte)'i', 0xFF, (byte)'U', 0xFF, (byte)'I', 1, 0, (byte)'l', 0, 1, 0, 0, (byte)'D', 0x3F, 0xF8, 0, 0, 0, 0, 0, 0, .. "ZTFCx]"u8,
            .. Key("b"), .. "[$d#i"u8, 1, 0x3F, 0x00, 0, 0, .. Key("c"), .. "{#i"u8, 1, .. Key("d"), .. "SU"u8, 2, .. "\u00e9"u8, (byte)'}'];
        Assert.Equal("{\"a\":[-1,255,256,65536,1.5,null,true,false,\"x\"],\"b\":[0.5],\"c\":{\"d\":\"\\u00E9\"}}", Encoding.UTF8.GetString(UniversalJson.ToJson(bytes).Span));
    }

    [Fact]
    public void What_is_damaged_is_refused()
    {
        byte[] valid = Write(XgboostJson.Small(), typed: true);
        Refuse(valid[..^1]);
        Refuse([.. valid, 0]);
        Refuse([(byte)'{', .. Key("a"), .. "[$Z#l"u8, 0x7F, 0xFF, 0xFF, 0xFF, (byte)'}']); // many nothings
        Refuse([(byte)'{', .. Key("a"), .. "[$i#l"u8, 0x7F, 0xFF, 0xFF, 0xFF, (byte)'}']);
        Refuse([(byte)'{', .. Key("a"), .. "[$i]}"u8]);
        Refuse([(byte)'{', .. Key("a"), .. Enumerable.Repeat((byte)'[', 40)]);
        Refuse([(byte)'{', .. Key("a"), .. "H"u8, 0, (byte)'}']);
        Refuse([(byte)'{', .. Key("a"), (byte)'S', (byte)'i', 0xFF, (byte)'}']);
        Assert.Equal(ImportError.NotFinite, Assert.Throws<ImportException>(() => ModelFile.Read(new byte[] { (byte)'{', (byte)'i', 1, (byte)'a', (byte)'d', 0x7F, 0x80, 0, 0, (byte)'}' })).Error);
    }

    [Fact]
    public void Mutated_files_are_read_or_refused()
    {
        byte[][] valid = [Write(XgboostJson.Small(), false), Write(XgboostJson.Small(), true)];
        var random = new Random(8);
        for (int i = 0; i < 5_000; i++) ModelFile.Fuzz(Mutation.Of(valid[i % 2], random));
    }

    private static void Refuse(byte[] bytes) => Assert.Equal(ImportError.Malformed, Assert.Throws<ImportException>(() => ModelFile.Read(bytes)).Error);

    private static byte[] Key(string name) => [(byte)'i', (byte)name.Length, .. Encoding.UTF8.GetBytes(name)];

    // As XGBoost's UBJWriter: lengths and integers of 64 bits, lists of numbers with one type where typed.
    private static byte[] Write(JsonNode? node, bool typed) => node switch
    {
        JsonObject members => [(byte)'{', .. members.SelectMany(member => (byte[])[.. Long('L', member.Key.Length), .. Encoding.UTF8.GetBytes(member.Key), .. Write(member.Value, typed)]), (byte)'}'],
        JsonArray list when typed && list.Count > 0 && list.All(item => item!.GetValueKind() == System.Text.Json.JsonValueKind.Number)
            => [.. "[$D#"u8, .. Long('L', list.Count), .. list.SelectMany(item => Double(item!.GetValue<object>()))],
        JsonArray list => [(byte)'[', .. list.SelectMany(item => Write(item, typed)), (byte)']'],
        JsonValue value when value.TryGetValue(out string? text) => [(byte)'S', .. Long('L', text.Length), .. Encoding.UTF8.GetBytes(text)],
        JsonValue value when value.TryGetValue(out int number) => Long('L', number),
        JsonValue value => [(byte)'D', .. Double(value.GetValue<double>())],
        _ => [(byte)'Z'],
    };

    private static byte[] Long(char marker, long value)
    {
        byte[] bytes = new byte[9];
        bytes[0] = (byte)marker;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), value);
        return bytes;
    }

    private static byte[] Double(object value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(bytes, Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture));
        return bytes;
    }
}
