// The web server that both machines of the comparison boot to: one answer on port 8080.
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.UseUrls("http://0.0.0.0:8080");
WebApplication app = builder.Build();
app.MapGet("/", () => Results.Text("up\n"));
await app.RunAsync();
