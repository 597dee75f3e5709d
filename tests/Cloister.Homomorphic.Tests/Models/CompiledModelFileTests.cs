using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Tests.Models;

public sealed class CompiledModelFileTests
{
    [Fact]
    public void What_is_written_is_read_and_says_the_same()
    {
        using CompiledModel compiled = LinearCompiler.Compile(LinearModels.Random(5, 3, 1, LinkFunction.Softmax, ["a", "b", "ü"]), LinearModels.Table(5, 30, 2), new LinearOptions { Name = "kept" });
        byte[] file = compiled.ToBytes();
        using CompiledModel read = CompiledModels.Read(file);
        Assert.Equal(file, read.ToBytes());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(file)), read.Client.Digest);
        Assert.Equal(ClientSpecificationJson.Write(compiled.Client), ClientSpecificationJson.Write(read.Client));
        Assert.Equal(ClientSpecificationJson.Write(compiled.Client), ClientSpecificationJson.Write(ClientSpecificationJson.Read(ClientSpecificationJson.Write(compiled.Client))));
    }

    [Fact]
    public void The_layout_is_frozen()
    {
        using LinearCircuit model = Fixed([3, -7], [11]);
        byte[] file = model.ToBytes();
        Assert.Equal("CLHEMODL"u8, file.AsSpan(0, 8));
        Assert.Equal("c5eaed3bcafbe31a91499eff19ac7ccfd48cfe9ff01b076e181f9ebfd618aae4", Convert.ToHexStringLower(SHA256.HashData(file)));
        Assert.Equal(model.Client.Digest, Convert.ToHexStringLower(SHA256.HashData(file)));
    }

    [Fact]
    public void Malformed_files_are_refused()
    {
        using LinearCircuit model = Fixed([3, -7], [11]);
        byte[] file = model.ToBytes();
        for (int length = 0; length < file.Length; length++) Refused(HomomorphicError.CompiledModel, file[..length]);
        Refused(HomomorphicError.CompiledModel, [.. file, 0]);
        Refused(HomomorphicError.CompiledModelVersion, Changed(8, 2));
        Refused(HomomorphicError.CompiledModel, Changed(10, 2));
        Refused(HomomorphicError.CompiledModel, Changed(0, (byte)'X'));
        int weights = file.Length - 8 - 8;
        Refused(HomomorphicError.CompiledModel, Changed(weights + 3, 0x7F)); // a weight of more than 2^30
        Refused(HomomorphicError.CompiledModel, Changed(file.Length - 2, 0x7F));
        Refused(HomomorphicError.NoRoom, Changed(weights + 2, 0x40)); // a weight of 2^22: sums beyond t
        Refused(HomomorphicError.ModelShape, [.. file[..weights], .. new byte[8], .. file[^8..]]);
        // White space in the specification is another file of the same model.
        byte[] spaced = [.. file[..21], (byte)' ', .. file[21..]];
        BinaryPrimitives.WriteInt32LittleEndian(spaced.AsSpan(12), BinaryPrimitives.ReadInt32LittleEndian(spaced.AsSpan(12)) + 1);
        Refused(HomomorphicError.CompiledModel, spaced);

        byte[] Changed(int at, byte value)
        {
            byte[] changed = [.. file];
            changed[at] = value;
            return changed;
        }
    }

    [Fact]
    public void A_server_half_that_could_fail_is_refused_by_noise_too()
    {
        // Few bits of answer: the rounding noise alone exceeds the room.
        ClientSpecification tight = Specification() with { Parameters = Specification().Parameters with { AnswerBits = 21 } };
        Assert.Equal(HomomorphicError.NoRoom, Assert.Throws<HomomorphicException>(() => LinearCircuit.Create(tight, new LinearWeights(2, [1, 1], [0]))).Error);
    }

    [Theory]
    [InlineData("\"model\":\"frozen\"", "\"model\":\"\"")]
    [InlineData("\"model\":\"frozen\"", "\"model\":\"a\\u0007b\"")]
    [InlineData("\"model\":\"frozen\"", "\"model\":\"frozen\",\"model\":\"frozen\"")]
    [InlineData("\"model\":\"frozen\"", "\"model\":\"frozen\",\"extra\":1")]
    [InlineData("\"model\":\"frozen\",", "")]
    [InlineData("\"design\":\"Linear\"", "\"design\":\"Other\"")]
    [InlineData("\"design\":\"Linear\"", "\"design\":7")]
    [InlineData("\"degree\":2048", "\"degree\":2047")]
    [InlineData("\"degree\":2048", "\"degree\":1073741824")]
    [InlineData("\"primes\":[562949953392641]", "\"primes\":[]")]
    [InlineData("\"primes\":[562949953392641]", "\"primes\":null")]
    [InlineData("\"primes\":[562949953392641]", "\"primes\":[1125899906842624]")]
    [InlineData("\"specialPrimes\":0", "\"specialPrimes\":1")]
    [InlineData("\"plaintextModulus\":1048576", "\"plaintextModulus\":1")]
    [InlineData("\"plaintextModulus\":1048576", "\"plaintextModulus\":100")]
    [InlineData("\"securityBits\":128", "\"securityBits\":80")]
    [InlineData("\"answerBits\":36", "\"answerBits\":49")]
    [InlineData("\"step\":0.5", "\"step\":0")]
    [InlineData("\"step\":0.5", "\"step\":-1")]
    [InlineData("\"step\":0.5", "\"step\":1e999")]
    [InlineData("\"minimum\":-100", "\"minimum\":101")]
    [InlineData("\"edges\":[]", "\"edges\":null")]
    [InlineData("\"edges\":[],", "")]
    [InlineData("\"absentLevel\":null", "\"absentLevel\":0")]
    [InlineData("\"rows\":1024", "\"rows\":0")]
    [InlineData("\"queryCiphertexts\":1", "\"queryCiphertexts\":1000000")]
    [InlineData("\"trees\":[]", "\"trees\":[-1]")]
    [InlineData("\"link\":\"Identity\"", "\"link\":\"Probit\"")]
    [InlineData("\"classes\":[]", "\"classes\":[\"a\",\"b\",\"c\"]")]
    [InlineData("\"scales\":[0.25]", "\"scales\":[0]")]
    [InlineData("\"scales\":[0.25]", "\"scales\":[]")]
    [InlineData("\"offsets\":[0]", "\"offsets\":[0,0]")]
    [InlineData("\"learns\":[\"Nothing.\"]", "\"learns\":[]")]
    [InlineData("\"learns\":[\"Nothing.\"]", "\"learns\":[null]")]
    public void Specifications_out_of_range_are_refused(string member, string instead)
    {
        string json = Encoding.UTF8.GetString(ClientSpecificationJson.Write(Specification()));
        Assert.Contains(member, json, StringComparison.Ordinal);
        _ = ClientSpecificationJson.Read(Encoding.UTF8.GetBytes(json));
        string changed = json.Replace(member, instead, StringComparison.Ordinal);
        Assert.Equal(HomomorphicError.Specification, Assert.Throws<HomomorphicException>(() => ClientSpecificationJson.Read(Encoding.UTF8.GetBytes(changed))).Error);
    }

    [Theory]
    [InlineData("\"rows\":1024", "\"rows\":1023")]
    [InlineData("\"stride\":2", "\"stride\":3")]
    [InlineData("\"groups\":[]", "\"groups\":[1]")]
    [InlineData("\"primes\":[562949953392641]", "\"primes\":[562949953392643]")]
    [InlineData("\"securityBits\":128", "\"securityBits\":192")]
    public void A_client_is_made_of_a_fitting_layout_and_secure_parameters_alone(string member, string instead)
    {
        string json = Encoding.UTF8.GetString(ClientSpecificationJson.Write(Specification()));
        ClientSpecification changed = ClientSpecificationJson.Read(Encoding.UTF8.GetBytes(json.Replace(member, instead, StringComparison.Ordinal)));
        Assert.Throws<HomomorphicException>(() => ModelClients.Create(changed));
        Assert.NotNull(ModelClients.Create(Specification()));
    }

    [Fact]
    public void Any_bytes_are_read_or_refused()
    {
        using LinearCircuit model = Fixed([3, -7], [11]);
        byte[] file = model.ToBytes(), json = ClientSpecificationJson.Write(model.Client);
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            CompiledModels.Fuzz(Mutate(file, random));
            ClientSpecificationJson.Fuzz(Mutate(json, random));
        }
        CompiledModels.Fuzz(file);
        ClientSpecificationJson.Fuzz(json);
    }

    [Fact]
    public void Models_and_tables_that_make_no_sense_are_refused()
    {
        double[][] table = LinearModels.Table(4, 20, 3);
        LinearModel model = LinearModels.Random(4, 2, 4);
        var options = new LinearOptions { Name = "refused" };
        Refuse(HomomorphicError.ModelShape, model with { Weights = [[1, 2, 3, 4], [1, 2, 3]] }, table);
        Refuse(HomomorphicError.ModelShape, model with { Weights = [[1, 2, 3, 4], [1, 2, 3, double.NaN]] }, table);
        Refuse(HomomorphicError.ModelShape, model with { Intercepts = [1] }, table);
        Refuse(HomomorphicError.ModelShape, model with { Intercepts = [1, double.PositiveInfinity] }, table);
        Refuse(HomomorphicError.ModelShape, model with { Threshold = double.NaN }, table);
        Refuse(HomomorphicError.ModelShape, model with { Classes = ["a", "b", "c"] }, table);
        Refuse(HomomorphicError.ModelShape, model with { Weights = [new double[4], new double[4]] }, table);
        Refuse(HomomorphicError.ModelShape, model with { Weights = [[1e-320, 0, 0, 0], new double[4]] }, table);
        Refuse(HomomorphicError.ModelShape, model with { Weights = [[1e308, 0, 0, 0], new double[4]] }, [[-1e308, 0, 0, 0], [1e308, 0, 0, 0]]);
        Refuse(HomomorphicError.ModelSize, model with { Weights = [], Intercepts = [] }, table);
        Refuse(HomomorphicError.ModelSize, LinearModels.Random(1, 5000, 5), LinearModels.Table(1, 3, 6));
        Refuse(HomomorphicError.Calibration, model, []);
        Refuse(HomomorphicError.Calibration, model, [.. table, [1, 2, 3]]);
        Refuse(HomomorphicError.Calibration, model, [.. table, [1, 2, 3, double.NaN]]);

        void Refuse(HomomorphicError error, LinearModel bad, double[][] rows) =>
            Assert.Equal(error, Assert.Throws<HomomorphicException>(() => LinearCompiler.Compile(bad, rows, options)).Error);
    }

    private static void Refused(HomomorphicError error, byte[] file) => Assert.Equal(error, Assert.Throws<HomomorphicException>(() => CompiledModels.Read(file)).Error);

    private static byte[] Mutate(byte[] valid, Random random)
    {
        byte[] bytes = random.Next(8) == 0 ? valid[..random.Next(valid.Length)] : [.. valid];
        for (int i = random.Next(4); i >= 0 && bytes.Length > 0; i--)
        {
            int at = random.Next(bytes.Length);
            bytes[at] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)(bytes[at] ^ 1 << random.Next(8)), _ => bytes[random.Next(bytes.Length)] };
        }
        return bytes;
    }

    private static LinearCircuit Fixed(int[] weights, long[] intercepts)
    {
        var server = new LinearWeights(weights.Length, weights, intercepts);
        return LinearCircuit.Create(CompiledModelFile.WithDigest(Specification(), server.ToBytes()), server);
    }

    private static ClientSpecification Specification() => new()
    {
        Model = "frozen",
        Digest = new string('0', 64),
        Design = ModelDesign.Linear,
        Parameters = new ParameterSpecification { Degree = 2048, Primes = [562949953392641], PlaintextModulus = 1 << 20, SecurityBits = 128, AnswerBits = 36 },
        Features = [new() { Name = "x", Offset = 1, Step = 0.5, Minimum = -100, Maximum = 100 }, new() { Name = "y", Offset = -1, Step = 0.125, Minimum = -100, Maximum = 100 }],
        Layout = new LinearLayout(2048, 2, 1).ToSpecification(),
        Output = new OutputSpecification { Link = LinkFunction.Identity, Scales = [0.25], Offsets = [0] },
        Learns = ["Nothing."],
    };
}
