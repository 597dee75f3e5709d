using System.Security.Cryptography.X509Certificates;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Runner;

/// <summary>What an accelerator process spends on whoever connects to it.</summary>
public sealed record AcceleratorOptions
{
    /// <summary>Threads inside one run; 0 is one a core. Runs go one after the other.</summary>
    public int Threads { get; init; }

    /// <summary>How far ONNX Runtime rewrites a model that was sent.</summary>
    public GraphOptimization Level { get; init; } = GraphOptimization.All;

    /// <summary>Models held ready at once; the one that was longest out of use makes room for another, a model in use never.</summary>
    public int MaximumModels { get; init; } = 8;

    /// <summary>Bytes of all models, held and on their way.</summary>
    public long MaximumModelBytes { get; init; } = 2L << 30;

    /// <summary>Bytes of the tensors of one run, in or out.</summary>
    public long MaximumRunBytes { get; init; } = 256L << 20;

    /// <summary>Runs of one connection that wait or go on; a connection that sends more is closed.</summary>
    public int MaximumDepth { get; init; } = 8;

    /// <summary>Connections at once; further ones are closed at once.</summary>
    public int MaximumConnections { get; init; } = 32;

    /// <summary>How long one run may take before it is stopped and refused.</summary>
    public TimeSpan MaximumRunTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a peer may take for a step of the greeting, and for the rest of a frame that it began.</summary>
    public TimeSpan PeerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// For <c>tls:</c> addresses, and for no other: the certificate with its private key (ECDSA or RSA). Workloads know the key alone; names and
    /// dates in it are looked at by nobody. If null, a key is made that ends with the process.
    /// </summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
