using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Cloister.Attestation;

namespace Cloister.Protocol.Manifest;

/// <summary>Turns the JSON value of a manifest into its records, member by member.</summary>
internal sealed class ManifestDecoder(GoDecoder go, ManifestProblems problems, ReadOnlyMemory<byte> json)
{
    private static readonly string[] s_marbleRun = ["Packages", "Infrastructures", "Marbles", "Secrets", "Users", "Roles", "RecoveryKeys", "TLS", "Config"];
    private static readonly string[] s_cloister = [.. s_marbleRun, "Models", "Callers", "TokenIssuers", "AnonymousModels", "AnonymousQuota"];
    private static readonly string[] s_package = ["UniqueID", "SignerID", "ProductID", "SecurityVersion", "Debug", "AcceptedTCBStatuses", "AcceptedAdvisories"];
    private static readonly string[] s_infrastructure = ["CPUSVN", "QESVN", "PCESVN", "RootCA"];
    private static readonly string[] s_marble = ["Package", "MaxActivations", "Parameters", "TLS", "DisableSecretBinding"];
    private static readonly string[] s_cloisterMarble = [.. s_marble, "Models"];
    private static readonly string[] s_parameters = ["Files", "Env", "Argv"];
    private static readonly string[] s_content = ["Data", "Encoding", "NoTemplates"];
    private static readonly string[] s_secret = ["Type", "Size", "Shared", "UserDefined", "ValidFor", "Cert"];
    private static readonly string[] s_user = ["Certificate", "Roles"];
    private static readonly string[] s_role = ["ResourceType", "ResourceNames", "Actions"];
    private static readonly string[] s_tlsTag = ["Incoming", "Outgoing"];
    private static readonly string[] s_tlsEntry = ["Port", "Addr", "Cert", "DisableClientAuth"];
    private static readonly string[] s_config = ["SealMode", "FeatureGates", "UpdateThreshold", "RecoveryThreshold", "RotateRootSecret"];

    private readonly CertificateDecoder _certificates = new(go);

    public ManifestDocument Document(GoValue root)
    {
        var manifest = new ManifestDocument();
        foreach ((string name, GoNode node) in go.Members(new GoNode(root, "", "Manifest", ""), "Manifest", go.IsCloister ? s_cloister : s_marbleRun))
            manifest = name switch
            {
                "Packages" => manifest with { Packages = go.Map(node, manifest.Packages, "manifest.PackageProperties", Package) },
                "Infrastructures" => manifest with { Infrastructures = go.Map(node, manifest.Infrastructures, "manifest.InfrastructureProperties", Infrastructure) },
                "Marbles" => manifest with { Marbles = go.Map(node, manifest.Marbles, "manifest.Marble", Marble) },
                "Secrets" => manifest with { Secrets = go.Map(node, manifest.Secrets, "manifest.Secret", Secret) },
                "Users" => manifest with { Users = go.Map(node, manifest.Users, "manifest.User", User) },
                "Roles" => manifest with { Roles = go.Map(node, manifest.Roles, "manifest.Role", Role) },
                "RecoveryKeys" => manifest with { RecoveryKeys = go.Map(node, manifest.RecoveryKeys, "string", entry => go.String(entry, "")) },
                "TLS" => manifest with { Tls = go.Map(node, manifest.Tls, "manifest.TLStag", TlsTag) },
                "Config" => manifest with { Config = Config(node, manifest.Config) },
                "Models" => manifest with { Models = go.Map(node, manifest.Models, "Model", new ModelMembers(go, problems).Model) },
                "Callers" => manifest with { Callers = go.Map(node, manifest.Callers, "Caller", new CallerDecoder(go, problems, json).Caller) },
                "TokenIssuers" => manifest with { TokenIssuers = go.Map(node, manifest.TokenIssuers, "TokenIssuer", new CallerDecoder(go, problems, json).Issuer) },
                "AnonymousQuota" => manifest with { AnonymousQuota = new CallerDecoder(go, problems, json).Quota(node) },
                _ => manifest with { AnonymousModels = go.Strings(node, manifest.AnonymousModels) },
            };
        return manifest;
    }

    private ManifestPackage Package(GoNode node)
    {
        if (go.IsCloister && node.Value.Kind == GoKind.Object && node.Value.Members.Any(member => !s_package.Contains(member.Key)))
            return PolicyPackage(node);
        var package = new ManifestPackage();
        foreach ((string name, GoNode member) in go.Members(node, "PackageProperties", s_package))
            package = name switch
            {
                "UniqueID" => package with { UniqueId = go.String(member, package.UniqueId ?? "") },
                "SignerID" => package with { SignerId = go.String(member, package.SignerId ?? "") },
                "ProductID" => package with { ProductId = go.OptionalUInt(member, package.ProductId, goType: "uint64") },
                "SecurityVersion" => package with { SecurityVersion = go.OptionalUInt(member, package.SecurityVersion) },
                "Debug" => package with { Debug = go.Bool(member, package.Debug) },
                "AcceptedTCBStatuses" => package with { AcceptedTcbStatuses = go.Strings(member, package.AcceptedTcbStatuses) },
                _ => package with { AcceptedAdvisories = go.Strings(member, package.AcceptedAdvisories) },
            };
        return package;
    }

    // A package with any member that is not one of MarbleRun's is a policy, whole: the policy's reader knows its members.
    private ManifestPackage PolicyPackage(GoNode node)
    {
        if (node.Value.Members.Any(member => s_package.Contains(member.Key)))
        {
            problems.Add(ManifestProblemCode.PackagePolicyAndProperties, node.Field, "a package has either a policy or SGX properties, not both (or a member is unknown)");
            return new ManifestPackage();
        }
        using JsonDocument policy = JsonDocument.Parse(json[node.Value.Range], new JsonDocumentOptions { MaxDepth = 128 });
        Outcome<PackagePolicy> read = PolicyReader.Read(policy.RootElement);
        if (read.IsAccepted) return new ManifestPackage { Policy = read.Value };
        problems.Add(ManifestProblemCode.PackagePolicyWrong, node.Field + (read.Field.StartsWith("policy", StringComparison.Ordinal) ? read.Field["policy".Length..] : $".{read.Field}"), read.Reason);
        return new ManifestPackage();
    }

    private ManifestInfrastructure Infrastructure(GoNode node)
    {
        var infrastructure = new ManifestInfrastructure();
        foreach ((string name, GoNode member) in go.Members(node, "InfrastructureProperties", s_infrastructure))
            infrastructure = name switch
            {
                "CPUSVN" => infrastructure with { CpuSvn = go.Bytes(member, infrastructure.CpuSvn) },
                "QESVN" => infrastructure with { QeSvn = (ushort?)go.OptionalUInt(member, infrastructure.QeSvn, ushort.MaxValue, "uint16") },
                "PCESVN" => infrastructure with { PceSvn = (ushort?)go.OptionalUInt(member, infrastructure.PceSvn, ushort.MaxValue, "uint16") },
                _ => infrastructure with { RootCa = go.Bytes(member, infrastructure.RootCa) },
            };
        return infrastructure;
    }

    private ManifestMarble Marble(GoNode node)
    {
        var marble = new ManifestMarble();
        foreach ((string name, GoNode member) in go.Members(node, "Marble", go.IsCloister ? s_cloisterMarble : s_marble))
            marble = name switch
            {
                "Package" => marble with { Package = go.String(member, marble.Package) },
                "MaxActivations" => marble with { MaxActivations = go.UInt(member, marble.MaxActivations) },
                "Parameters" => marble with { Parameters = Parameters(member, marble.Parameters) },
                "TLS" => marble with { Tls = go.Strings(member, marble.Tls) },
                "DisableSecretBinding" => marble with { DisableSecretBinding = go.Bool(member, marble.DisableSecretBinding) },
                _ => marble with { Models = go.Strings(member, marble.Models) },
            };
        return marble;
    }

    private ManifestParameters Parameters(GoNode node, ManifestParameters parameters)
    {
        foreach ((string name, GoNode member) in go.Members(node, "Parameters", s_parameters))
            parameters = name switch
            {
                "Files" => parameters with { Files = go.Map(member, parameters.Files, "manifest.File", Content) },
                "Env" => parameters with { Env = go.Map(member, parameters.Env, "manifest.File", Content) },
                _ => parameters with { Argv = go.Strings(member, parameters.Argv) },
            };
        return parameters;
    }

    private ManifestContent Content(GoNode node)
    {
        var nothing = new ManifestContent(default, NoTemplates: false);
        switch (node.Value.Kind)
        {
            case GoKind.String:
                return new ManifestContent(Encoding.UTF8.GetBytes(node.Value.Text), NoTemplates: false);
            case GoKind.Null:
                go.Refuse(ManifestProblemCode.WrongType, node, "got: %!t(<nil>), expected: string or interface");
                return nothing;
        }
        string data = "", encoding = "";
        bool noTemplates = false;
        if (node.Value.Kind != GoKind.Object) go.WrongType(node, "struct { Data string; Encoding string; NoTemplates bool }");
        else
            foreach ((string name, GoNode member) in go.Members(node, "File", s_content))
                switch (name)
                {
                    case "Data": data = go.String(member, data); break;
                    case "Encoding": encoding = go.String(member, encoding); break;
                    default: noTemplates = go.Bool(member, noTemplates); break;
                }
        return Decode(node, data, encoding) is { } bytes ? new ManifestContent(bytes, noTemplates) : nothing;
    }

    private byte[]? Decode(GoNode node, string data, string encoding)
    {
        switch (encoding.ToLowerInvariant())
        {
            case "" or "string":
                return Encoding.UTF8.GetBytes(data);
            case "base64":
                if (GoBase64.TryDecode(data, out byte[] bytes)) return bytes;
                go.Refuse(ManifestProblemCode.BadEncoding, node, "illegal base64 data");
                return null;
            case "hex":
                if (data.Length % 2 == 0 && data.All(char.IsAsciiHexDigit)) return Convert.FromHexString(data);
                go.Refuse(ManifestProblemCode.BadEncoding, node, "encoding/hex: not an even number of hex digits");
                return null;
            default:
                go.Refuse(ManifestProblemCode.BadEncoding, node, $"unknown encoding type: {encoding}");
                return null;
        }
    }

    private ManifestSecret Secret(GoNode node)
    {
        var secret = new ManifestSecret();
        foreach ((string name, GoNode member) in go.Members(node, "Secret", s_secret))
            secret = name switch
            {
                "Type" => secret with { Type = go.String(member, secret.Type) },
                "Size" => secret with { Size = go.UInt(member, secret.Size) },
                "Shared" => secret with { Shared = go.Bool(member, secret.Shared) },
                "UserDefined" => secret with { UserDefined = go.Bool(member, secret.UserDefined) },
                "ValidFor" => secret with { ValidFor = go.UInt(member, secret.ValidFor) },
                _ => secret with { Certificate = _certificates.Read(member, secret.Certificate) },
            };
        return secret;
    }

    private ManifestUser User(GoNode node)
    {
        var user = new ManifestUser();
        foreach ((string name, GoNode member) in go.Members(node, "User", s_user))
            user = name == "Certificate"
                ? user with { Certificate = go.String(member, user.Certificate) }
                : user with { Roles = go.Strings(member, user.Roles) };
        return user with { CertificateDer = ManifestCertificates.FirstBlock(user.Certificate) ?? [] };
    }

    private ManifestRole Role(GoNode node)
    {
        var role = new ManifestRole();
        foreach ((string name, GoNode member) in go.Members(node, "Role", s_role))
            role = name switch
            {
                "ResourceType" => role with { ResourceType = go.String(member, role.ResourceType) },
                "ResourceNames" => role with { ResourceNames = go.Strings(member, role.ResourceNames) },
                _ => role with { Actions = go.Strings(member, role.Actions) },
            };
        return role;
    }

    private ManifestTlsTag TlsTag(GoNode node)
    {
        var tag = new ManifestTlsTag();
        foreach ((string name, GoNode member) in go.Members(node, "TLStag", s_tlsTag))
            tag = name == "Incoming"
                ? tag with { Incoming = go.List(member, tag.Incoming, "[]manifest.TLSTagEntry", TlsEntry) }
                : tag with { Outgoing = go.List(member, tag.Outgoing, "[]manifest.TLSTagEntry", TlsEntry) };
        return tag;
    }

    private ManifestTlsEntry TlsEntry(GoNode node)
    {
        var entry = new ManifestTlsEntry();
        foreach ((string name, GoNode member) in go.Members(node, "TLSTagEntry", s_tlsEntry))
            entry = name switch
            {
                "Port" => entry with { Port = go.String(member, entry.Port) },
                "Addr" => entry with { Addr = go.String(member, entry.Addr) },
                "Cert" => entry with { Cert = go.String(member, entry.Cert) },
                _ => entry with { DisableClientAuth = go.Bool(member, entry.DisableClientAuth) },
            };
        return entry;
    }

    private ManifestConfig Config(GoNode node, ManifestConfig config)
    {
        foreach ((string name, GoNode member) in go.Members(node, "Config", s_config))
            config = name switch
            {
                "SealMode" => config with { SealMode = go.String(member, config.SealMode) },
                "FeatureGates" => config with { FeatureGates = go.Strings(member, config.FeatureGates) },
                "UpdateThreshold" => config with { UpdateThreshold = go.UInt(member, config.UpdateThreshold) },
                "RecoveryThreshold" => config with { RecoveryThreshold = go.UInt(member, config.RecoveryThreshold) },
                _ => config with { RotateRootSecret = go.Bool(member, config.RotateRootSecret) },
            };
        return config;
    }
}
