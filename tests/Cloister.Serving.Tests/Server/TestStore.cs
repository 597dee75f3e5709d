using System.Security.Cryptography;
using System.Text;
using Cloister.Sealing;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Server;

/// <summary>A folder of sealed models, sealed for real, and the grants to open them.</summary>
internal sealed class TestStore
{
    // One key for all: what holds models apart must be more than their keys.
    private readonly SecretBytes _key = SecretBytes.Random(32);

    public string Folder { get; } = Directory.CreateTempSubdirectory("cloister-serving-").FullName;

    public MakerKey Maker { get; } = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);

    public List<ModelGrant> Grants { get; } = [];

    public List<CallerGrant> Callers { get; } = [];

    public List<string> Anonymous { get; } = [];

    public List<TokenIssuerGrant> Issuers { get; } = [];

    public List<LimitsGrant> AnonymousLimits { get; } = [];

    public SecretBytes? EnvelopeMaster { get; set; }

    public CallerRights Rights => new([.. Callers], [.. Anonymous]) { TokenIssuers = [.. Issuers], AnonymousLimits = [.. AnonymousLimits] };

    public string PathOf(string name) => Path.Combine(Folder, name + ".sealed");

    /// <summary>Seals a model, grants it and opens it to anybody.</summary>
    public Task<TestStore> AddAsync(string name, byte[] model, string? configuration = null, string? labels = null, params (string Name, byte[] Bytes)[] more)
    {
        List<(string, byte[])> entries = [("model.onnx", model), .. more];
        if (configuration is not null) entries.Add(("config.json", Encoding.UTF8.GetBytes(configuration)));
        if (labels is not null) entries.Add(("labels.txt", Encoding.UTF8.GetBytes(labels)));
        return AddEntriesAsync(name, [.. entries]);
    }

    public async Task<TestStore> AddEntriesAsync(string name, params (string Name, byte[] Bytes)[] entries)
    {
        var content = new SealedContent(name, 1, [.. entries.Select(entry => SealedSource.FromBytes(entry.Name, entry.Bytes))]);
        string digest = await SealedFile.SealAsync(PathOf(name), content, _key.Memory, Maker);
        Grants.Add(new ModelGrant(name, digest, Maker.Public.SubjectPublicKeyInfo, 1, SecretBytes.Copy(_key.Span)));
        Anonymous.Add(name);
        return this;
    }

    /// <summary>Seals several versions of a model into its folder, grants it and opens it to anybody.</summary>
    public async Task<TestStore> AddVersionsAsync(string name, params (long Version, byte[] Model)[] versions)
    {
        Directory.CreateDirectory(Path.Combine(Folder, name));
        foreach ((long version, byte[] model) in versions)
            await SealedFile.SealAsync(Path.Combine(Folder, name, version + ".sealed"), new SealedContent(name, version, [SealedSource.FromBytes("model.onnx", model)]), _key.Memory, Maker);
        Grants.Add(new ModelGrant(name, "", Maker.Public.SubjectPublicKeyInfo, 1, SecretBytes.Copy(_key.Span)));
        Anonymous.Add(name);
        return this;
    }

    /// <summary>Seals another version over the file of a model whose digest its grant does not pin.</summary>
    public Task ReplaceAsync(string name, long version, byte[] model, string entry = "model.onnx") =>
        SealedFile.SealAsync(PathOf(name), new SealedContent(name, version, [SealedSource.FromBytes(entry, model)]), _key.Memory, Maker);

    /// <summary>Seals another version, of several entries, over the file of a model whose digest its grant does not pin.</summary>
    public Task ReplaceEntriesAsync(string name, long version, params (string Name, byte[] Bytes)[] entries) =>
        SealedFile.SealAsync(PathOf(name), new SealedContent(name, version, [.. entries.Select(entry => SealedSource.FromBytes(entry.Name, entry.Bytes))]), _key.Memory, Maker);

    public TestStore Change(string name, Func<ModelGrant, ModelGrant> change)
    {
        int index = Grants.FindIndex(grant => grant.Name == name);
        Grants[index] = change(Grants[index]);
        return this;
    }

    public TestStore AllowToken(string caller, string token, params string[] models)
    {
        Callers.Add(new CallerGrant(caller, default, SHA256.HashData(Encoding.UTF8.GetBytes(token)), models));
        return this;
    }

    public TestStore AllowCertificate(string caller, byte[] certificate, params string[] models)
    {
        Callers.Add(new CallerGrant(caller, certificate, default, models));
        return this;
    }
}
