namespace Cloister.Images.Machines;

/// <summary>What runs a machine's processors. It is not measured and changes nothing of what is.</summary>
public enum Accelerator
{
    /// <summary>KVM where a probe boot works, else emulation.</summary>
    Auto,

    /// <summary>The processor's own virtualisation.</summary>
    Kvm,

    /// <summary>Emulation: works everywhere, ten times slower or more.</summary>
    Tcg,
}
