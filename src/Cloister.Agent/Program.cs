using Cloister.Images.Boot;

if (Environment.ProcessId != 1)
{
    Console.Error.WriteLine($"cloister-agent is process 1 of a measured machine ({GuestPaths.Agent}); it does nothing elsewhere.");
    return 1;
}
return 0;
