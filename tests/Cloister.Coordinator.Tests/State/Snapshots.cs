using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.State;

/// <summary>A first snapshot and changes of it.</summary>
internal static class Snapshots
{
    private static readonly CertificateAuthority Authority = CertificateAuthority.Create(["localhost"], DateTimeOffset.UnixEpoch.AddYears(50));

    public static CoordinatorSnapshot First() => new()
    {
        State = CoordinatorState.AcceptingManifest,
        Authority = Authority,
        RootSecret = new byte[32],
    };

    public static Func<CoordinatorSnapshot, CoordinatorSnapshot> Add(string name) =>
        current => current with { Activations = current.Activations.SetItem(name, current.Activations.GetValueOrDefault(name) + 1) };
}
