namespace Cloister.Attestation.Simulation;

/// <summary>Names of the fields in the claims of simulated evidence.</summary>
public static class SimulationFields
{
    /// <summary>The simulator's key: base64 of its SubjectPublicKeyInfo.</summary>
    public const string HostKey = "hostKey";

    /// <summary>The measured program's path on its machine; for people.</summary>
    public const string Executable = "executable";

    /// <summary>The signed report data, 128 hexadecimal digits.</summary>
    public const string ReportData = "reportData";
}
