using System.Runtime.Versioning;
using Cloister.Agent.Control;
using Cloister.Images.Boot;

[assembly: SupportedOSPlatform("linux")]

if (Environment.ProcessId != 1)
{
    Console.Error.WriteLine($"cloister-agent is process 1 of a measured machine ({GuestPaths.Agent}); it does nothing elsewhere.");
    return 1;
}
await ProcessOne.RunAsync();
return 0;
