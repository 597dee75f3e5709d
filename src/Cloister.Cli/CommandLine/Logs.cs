using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Cloister.Cli.CommandLine;

/// <summary>Log lines of the servers, on standard error: standard output is for results.</summary>
internal static class Logs
{
    public const string LevelVariable = "CLOISTER_LOG_LEVEL";

    // MarbleRun's own, for whoever starts the coordinator with its variables alone.
    private const string DebugVariable = "EDG_DEBUG_LOGGING";

    public static ILoggerFactory Create(Screen screen) => LoggerFactory.Create(builder => Configure(builder, screen));

    public static void Configure(ILoggingBuilder builder, Screen screen)
    {
        builder.SetMinimumLevel(Enum.TryParse(Environment.GetEnvironmentVariable(LevelVariable), ignoreCase: true, out LogLevel level) ? level : Environment.GetEnvironmentVariable(DebugVariable) == "1" ? LogLevel.Debug : LogLevel.Warning);
        if (screen.Json)
            builder.AddJsonConsole();
        else
            builder.AddSimpleConsole(options => options.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
