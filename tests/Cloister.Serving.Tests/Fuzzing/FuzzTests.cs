using System.Text;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Fuzzing;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Tests.Fuzzing;

/// <summary>Seeded, bounded mutations of valid input: a parser accepts or gives its documented refusal, nothing else.</summary>
public sealed class FuzzTests
{
    private const int Rounds = 20_000;

    private static readonly string[] InferBodies =
    [
        """{"id":"42","inputs":[{"name":"a","shape":[2,2],"datatype":"FP32","data":[[1.5,-2e3],[3,NaN]]},{"name":"t","shape":[2],"datatype":"BYTES","data":["x","\u00e4\ud83d\ude00"]},{"name":"i","shape":[1],"datatype":"INT64","data":[-7]},{"data":["iVBORw0KGgo="],"name":"p","shape":[1],"datatype":"BYTES","parameters":{"content_type":"png"}}],"outputs":[{"name":"y","parameters":{"classification":3}}],"parameters":{"timeout":5}}""",
        """{"inputs":[{"data":[0.1,0.2,0.30000001192092896,1e-45],"shape":[2,2],"name":"a","datatype":"FP32"}]}""",
    ];

    private static readonly string[] PredictBodies =
    [
        """{"signature_name":"serving_default","instances":[{"a":[1,2.5],"t":"x","i":3,"p":{"b64":"iVBORw0KGgo="}},{"a":[1,2],"t":{"b64":"eA=="},"i":4,"p":{"b64":"iVBORw0KGgo="}}]}""",
        """{"inputs":{"a":[[1,2],[3,4]],"t":["x","y"],"i":[1,2],"p":[{"b64":"iVBORw0KGgo="}]}}""",
    ];

    private static readonly string[] ExampleBodies =
    [
        """{"signature_name":"regression","context":{"i":3},"examples":[{"a":[1.5,-2e3],"t":"x","p":{"b64":"iVBORw0KGgo="},"o":[true,null]},{"a":[1,2],"t":[{"b64":"eA=="}],"i":[4],"p":"\u00e4"}]}""",
        """{"examples":[{"a":[NaN,-Infinity],"t":["x"],"i":[9223372036854775807],"p":[{"b64":"iVBORw0KGgo="}]}]}""",
    ];

    private static readonly string[] Configurations = ["""{"preprocess":"bgr-mean","resize":"bilinear","threads":2,"queueLimit":10,"timeoutMilliseconds":500}""", """{"warmup":"zeros","weights":"in-place","concurrency":2,"batching":false}""", "{}"];

    private static readonly string[] Labels = ["tench\ngoldfish\r\ngreat white shark, \u00e4\n", "a"];

    [Fact]
    public void Infer_bodies() => Mutate(InferBodies, RequestFuzzing.OpenInference);

    [Fact]
    public void Repository_bodies() => Mutate(
        ["""{"ready":true}""", """{"parameters":{"config":"{}","file:1/model.onnx":"AAAA","n":-1.5e300,"u":18446744073709551615}}""", """{"parameters":{"unload_dependents":false,"x":NaN}}"""],
        RequestFuzzing.Repository);

    [Fact]
    public void Binary_infer_bodies() => Mutate([.. BinaryBodies()], RequestFuzzing.OpenInferenceBinary);

    [Fact]
    public void Predict_bodies() => Mutate(PredictBodies, RequestFuzzing.TensorFlow);

    [Fact]
    public void Example_bodies() => Mutate(ExampleBodies, RequestFuzzing.Examples);

    [Fact]
    public void Predict_messages() => Mutate([Messages.Predict(), Messages.PredictContents()], RequestFuzzing.PredictMessages);

    [Fact]
    public void Example_messages() => Mutate([Messages.Examples()], RequestFuzzing.ExampleMessages);

    [Fact]
    public void Key_registrations() => Mutate(["""{"keyId":"000102030405060708090a0b0c0d0e0f"}"""], KeyRegistration.Fuzz);

    [Fact]
    public void Configuration_documents() => Mutate(Configurations, ModelConfiguration.Fuzz);

    [Fact]
    public void Warm_up_requests() => Mutate([InferBodies[1] + "\n\r\n" + InferBodies[0] + "\n"], WarmUp.Fuzz);

    [Fact]
    public void Label_lists() => Mutate(Labels, ModelLabels.Fuzz);

    [Fact]
    public void The_tokenizer_accepts_exactly_what_the_framework_s_reader_accepts()
    {
        // Beside NaN and infinities, which no mutation below makes, and the framework's own depth, which is set alike.
        string[] seeds = [.. InferBodies.Select(body => body.Replace("NaN", "0", StringComparison.Ordinal)), .. PredictBodies, """[true,false,null,"\b\f\n\r\t\/\\\"",{"":[[]]},-0.0e-0,1E+5]"""];
        Mutate(seeds, bytes =>
        {
            if (bytes.ContainsAny("NI"u8)) return;
            bool expected = true, accepted = true;
            try
            {
                var reader = new System.Text.Json.Utf8JsonReader(bytes, new System.Text.Json.JsonReaderOptions { MaxDepth = JsonCursor.MaximumDepth });
                while (reader.Read())
                    if (reader.TokenType is System.Text.Json.JsonTokenType.String or System.Text.Json.JsonTokenType.PropertyName) reader.GetString();
            }
            catch (Exception refusal) when (refusal is System.Text.Json.JsonException or InvalidOperationException)
            {
                expected = false;
            }
            try
            {
                var cursor = new JsonCursor(bytes);
                cursor.Skip();
                cursor.End();
            }
            catch (ServingException)
            {
                accepted = false;
            }
            if (expected != accepted) Assert.Fail($"framework {expected}, ours {accepted}: {Encoding.UTF8.GetString(bytes)}");
        });
    }

    private delegate void Target(ReadOnlySpan<byte> bytes);

    /// <summary>The length of the JSON, the size of the parts, JSON, data: a float tensor, two texts, a picture; and a tensor alone.</summary>
    private static IEnumerable<byte[]> BinaryBodies()
    {
        byte[] picture = Cloister.Onnx.Pictures.PngWriter.Write(new Cloister.Onnx.Pictures.Picture(2, 2, new byte[12]));
        byte[] data = [.. OpenInference.BinaryMessages.Floats(1, 2, 3, 4), .. OpenInference.BinaryMessages.Texts("x", "\u00e4y"), .. BitConverter.GetBytes(picture.Length), .. picture];
        byte[] json = Encoding.UTF8.GetBytes(
            """{"inputs":[{"name":"a","shape":[2,2],"datatype":"FP32","parameters":{"binary_data_size":16}},{"name":"i","shape":[1],"datatype":"INT64","data":[7]},{"name":"t","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":12}},{"parameters":{"binary_data_size":SIZE},"name":"p","shape":[1],"datatype":"BYTES"}],"outputs":[{"name":"y","parameters":{"binary_data":true}}],"parameters":{"binary_data_output":true,"mine":"x"}}"""
                .Replace("SIZE", (picture.Length + 4).ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));
        foreach (byte part in new byte[] { 0, 6, 255 }) yield return [(byte)json.Length, (byte)(json.Length >> 8), part, .. json, .. data];
        yield return [0, 0, 0, .. OpenInference.BinaryMessages.Floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)];
    }

    private static void Mutate(string[] seeds, Target target) => Mutate([.. seeds.Select(Encoding.UTF8.GetBytes)], target);

    private static void Mutate(byte[][] valid, Target target)
    {
        byte[] symbols = [.. "{}[],:\"\\0123456789.eE+-tfnu \n\r\t"u8];
        foreach (byte[] seed in valid) target(seed);
        for (int round = 0; round < Rounds; round++)
        {
            var random = new Random(round);
            List<byte> bytes = [.. valid[random.Next(valid.Length)]];
            for (int change = random.Next(1, 6); change > 0 && bytes.Count > 0; change--)
            {
                int at = random.Next(bytes.Count), length = Math.Min(random.Next(1, 12), bytes.Count - at);
                switch (random.Next(7))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes[at] = symbols[random.Next(symbols.Length)]; break;
                    case 2: bytes.RemoveRange(at, length); break;
                    case 3: bytes.Insert(at, symbols[random.Next(symbols.Length)]); break;
                    case 4: bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - length + 1), length)); break;
                    case 5: bytes.RemoveRange(at, bytes.Count - at); break;
                    default: bytes.InsertRange(at, Enumerable.Repeat((byte)'[', random.Next(200))); break;
                }
            }
            target(bytes.ToArray());
        }
    }
}
