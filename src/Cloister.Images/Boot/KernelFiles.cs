using System.Collections.Immutable;

namespace Cloister.Images.Boot;

/// <summary>A kernel, its modules, systemd's stub and the agent's libraries, unpacked and checked.</summary>
/// <param name="Vmlinuz">The kernel, an EFI program.</param>
/// <param name="Stub">systemd-stub, an EFI program.</param>
/// <param name="Modules">The folder with the kernel's modules.</param>
/// <param name="Libraries">The shared libraries that the agent is linked to, with their loader; the last part of a path is the name that programs ask for.</param>
/// <param name="Packages">Where they come from, for an image's lock.</param>
public sealed record KernelFiles(string Vmlinuz, string Stub, string Modules, ImmutableArray<string> Libraries, ImmutableArray<PinnedPackage> Packages);
