namespace Cloister.Attestation.SevSnp;

/// <summary>A line of AMD processors: each has its own root key, certificate contents and order of TCB components.</summary>
public enum SnpProduct
{
    /// <summary>Not known.</summary>
    None = 0,

    /// <summary>EPYC 7003.</summary>
    Milan,

    /// <summary>EPYC 9004, 97x4 and 8004 (Genoa, Bergamo, Siena), which share Genoa's keys.</summary>
    Genoa,

    /// <summary>EPYC 9005.</summary>
    Turin,
}

/// <summary>Tells product lines.</summary>
internal static class SnpProducts
{
    /// <summary>The line of a processor by CPUID family, model and stepping, as reports of version 3 and later state them.</summary>
    public static SnpProduct OfProcessor(byte family, byte model) => (family, model) switch
    {
        (0x19, <= 0x0F) => SnpProduct.Milan,
        (0x19, >= 0x10 and <= 0x1F) => SnpProduct.Genoa,
        (0x19, >= 0xA0 and <= 0xAF) => SnpProduct.Genoa,
        (0x1A, <= 0x11) => SnpProduct.Turin,
        _ => SnpProduct.None,
    };

    /// <summary>The line that a name says: <c>Milan</c>, or with a stepping <c>Milan-B0</c>.</summary>
    public static SnpProduct OfName(ReadOnlySpan<char> name)
    {
        int dash = name.IndexOf('-');
        ReadOnlySpan<char> line = dash < 0 ? name : name[..dash];
        return line switch
        {
            "Milan" => SnpProduct.Milan,
            "Genoa" or "Bergamo" or "Siena" => SnpProduct.Genoa,
            "Turin" => SnpProduct.Turin,
            _ => SnpProduct.None,
        };
    }
}
