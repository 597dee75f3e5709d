using System.Collections.Immutable;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Templates;

namespace Cloister.Coordinator.Secrets;

/// <summary>What an upload has to be: each value fits its definition, and the manifest's templates can take them all. Words are MarbleRun's where it has them.</summary>
internal static class SecretIntake
{
    /// <summary>The values as they are kept.</summary>
    /// <exception cref="CoordinatorException">UnknownSecret, SecretRefused, BadRequest; the text names the secret and never a value.</exception>
    public static ImmutableSortedDictionary<string, SecretMaterial> Read(ManifestDocument manifest, ImmutableDictionary<string, SecretValue> secrets)
    {
        if (secrets.IsEmpty)
            throw Refused("no new secrets defined");
        var values = ImmutableSortedDictionary.CreateBuilder<string, SecretMaterial>(StringComparer.Ordinal);
        foreach ((string name, SecretValue value) in secrets.OrderBy(secret => secret.Key, StringComparer.Ordinal))
        {
            if (!manifest.Secrets.TryGetValue(name, out ManifestSecret? definition))
                throw new CoordinatorException(CoordinatorError.UnknownSecret, "parsing new secrets: secret manifest specifies a secret which the original manifest does not contain");
            // A null entry has no members, as in Go.
            values.Add(name, Check(name, definition, value ?? new SecretValue()));
        }
        if (TemplateDryRun.FirstProblem(manifest, values.ToDictionary(value => value.Key, value => new TemplateSecretValue(value.Value.Certificate, value.Value.Public, value.Value.Private))) is { } problem)
            throw new CoordinatorException(CoordinatorError.SecretRefused, problem);
        return values.ToImmutable();
    }

    internal static SecretMaterial Check(string name, ManifestSecret definition, SecretValue value)
    {
        if (!definition.UserDefined)
            throw Refused($"secret {name} is not writeable", CoordinatorError.UnknownSecret);
        if (SecretCertificate.IsType(definition.Type))
            return CheckCertificate(name, definition, value);
        byte[] key = value.Key ?? [];
        if (definition.Type == ManifestSecretTypes.SymmetricKey)
        {
            if (definition.Size == 0 || definition.Size % 8 != 0)
                throw Refused($"invalid secret size: {name}");
            if ((ulong)key.Length * 8 != definition.Size)
                throw Refused($"declared size and actual size don't match: {name}");
        }
        if (value.Cert is not null || value.Private is not null)
            throw Refused($"secret {name} is set to be of type symmetric-key but specified values for a certificate");
        if (key.Length is 0 or > SecretService.MaxPlainBytes)
            throw Refused($"secret {name} has {key.Length} bytes; 1 to {SecretService.MaxPlainBytes} are allowed");
        return SecretMaterial.OfKey(key);
    }

    private static SecretMaterial CheckCertificate(string name, ManifestSecret definition, SecretValue value)
    {
        if (value.Key is not null)
            throw Refused($"secret {name} is set to be of type {definition.Type} but specified values for a symmetric-key");
        if (value.Cert is not { } certificate)
            throw Refused("x509: unsupported public key type: <nil>");
        if (UploadedCertificate.Read(definition.Type, certificate, value.Private, out string reason) is { } material)
            return material;
        throw reason == UploadedCertificate.Malformed ? new CoordinatorException(CoordinatorError.BadRequest, reason) : Refused($"secret {name}: {reason}");
    }

    private static CoordinatorException Refused(string why, CoordinatorError error = CoordinatorError.SecretRefused) => new(error, $"parsing new secrets: {why}");
}
