using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Configuration;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Configuration;

/// <summary>TF Serving's settings files, as its documentation writes them.</summary>
public sealed class SettingsFileTests
{
    private const string Models = """
        # TF Serving's own examples, in one file.
        model_config_list {
          config {
            name: 'my_first_model'
            base_path: '/tmp/my_first_model/'
            model_platform: 'tensorflow'
            model_version_policy { specific { versions: 43 versions: 42 } }
            version_labels { key: 'stable' value: 42 }
            version_labels { key: 'canary' value: 43 }
          }
          config: < name: "second" model_version_policy: { latest: { num_versions: 2 } } logging_config { sampling_config { sampling_rate: 0.1 } } >,
          config { name: "third" model_version_policy { all { } } }
          config { name: "fourth" }
        }
        """;

    private const string Batching = """
        max_batch_size { value: 128 }
        batch_timeout_micros { value: 500 }
        max_enqueued_batches { value: 1000000 }
        num_batch_threads { value: 8 }
        thread_pool_name { value: "pool" }
        allowed_batch_sizes: 32
        allowed_batch_sizes: [64, 128]
        pad_variable_length_inputs: true
        """;

    private const string Monitoring = """
        prometheus_config {
          enable: true,
          path: "/monitoring/prometheus/metrics"
        }
        """;

    [Fact]
    public void Models_with_paths_policies_and_labels()
    {
        ModelConfigFile file = ModelConfigFile.Parse(Encoding.UTF8.GetBytes(Models), "models.config");
        Assert.Equal(["my_first_model", "second", "third", "fourth"], file.Plan.Models.Select(model => model.Name));
        ModelPlan first = file.Plan.Models[0];
        Assert.Equal("/tmp/my_first_model/", first.BasePath);
        Assert.Equal<long>([42, 43], Assert.IsType<VersionPolicy.Specific>(first.Versions).Numbers.AsEnumerable());
        Assert.Equal((42, 43), (first.Labels["stable"], first.Labels["canary"]));
        Assert.Equal(new VersionPolicy.Latest(2), file.Plan.Models[1].Versions);
        Assert.Equal(new VersionPolicy.All(), file.Plan.Models[2].Versions);
        Assert.Equal((new VersionPolicy.Latest(1), null), (file.Plan.Models[3].Versions, file.Plan.Models[3].BasePath));
        Assert.Contains("models.config:11:", Assert.Single(file.Notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "1:1", "no model_config_list")]
    [InlineData("models { }", "1:1", "no field 'models'; it has custom_model_config, model_config_list")]
    [InlineData("custom_model_config { type_url: 'x' }", "1:1", "loader")]
    [InlineData("model_config_list { config { base_path: '/m' } }", "1:28", "needs a name")]
    [InlineData("model_config_list { config { name: '../m' } }", "1:30", "letters")]
    [InlineData("model_config_list {\n config { name: 'm' }\n config { name: 'm' } }", "3:9", "twice")]
    [InlineData("model_config_list { config { name: 'm' base_path: 's3://bucket/m' } }", "1:40", "mount")]
    [InlineData("model_config_list { config { name: 'm' model_platform: 'pytorch' } }", "1:40", "onnx")]
    [InlineData("model_config_list { config { name: 'm' model_type: OTHER } }", "1:40", "OTHER")]
    [InlineData("model_config_list { config { name: 'm' model_version_policy { latest { } all { } } } }", "1:74", "excludes 'latest'")]
    [InlineData("model_config_list { config { name: 'm' model_version_policy { specific { } } } }", "1:72", "no version")]
    [InlineData("model_config_list { config { name: 'm' model_version_policy { specific { versions: -1 } } } }", "1:84", "from 0 to")]
    [InlineData("model_config_list { config { name: 'm' version_labels { key: 'a/b' value: 1 } } }", "1:57", "label")]
    [InlineData("model_config_list { config { name: 'm' version_labels { key: 'a' value: 1 } version_labels { key: 'a' value: 2 } } }", "1:94", "twice")]
    [InlineData("model_config_list { config { name: 'm' model_version_policy { specific { versions: 1 } } version_labels { key: 'a' value: 2 } } }", "1:116", "does not serve")]
    [InlineData("model_config_list { config { name: 'm' version: 1 } }", "1:40", "no field 'version'")]
    public void A_model_config_that_cannot_be_followed_is_refused_with_its_place(string document, string place, string reason) =>
        Refused(() => ModelConfigFile.Parse(Encoding.UTF8.GetBytes(document), "models.config"), "models.config:" + place, reason);

    [Fact]
    public void Batching_parameters()
    {
        BatchingFile file = BatchingFile.Parse(Encoding.UTF8.GetBytes(Batching), "batching");
        Assert.Equal(new BatchingOptions
        {
            MaxBatchSize = 128,
            BatchTimeout = TimeSpan.FromMicroseconds(500),
            MaxEnqueuedBatches = 1_000_000,
            Threads = 8,
            AllowedBatchSizes = [32, 64, 128],
            SplitLargeRequests = false,
            WaitWhenIdle = true,
        }, file.Options);
        Assert.Contains("batching:8:1: pad_variable_length_inputs", Assert.Single(file.Notes), StringComparison.Ordinal);
        Assert.Equal(BatchingFile.Default, BatchingFile.Parse(default, "batching").Options);
        BatchingOptions split = BatchingFile.Parse("enable_large_batch_splitting { value: true } max_batch_size { value: 100 } max_execution_batch_size { value: 10 }"u8, "batching").Options;
        Assert.Equal((10, true), (split.MaxBatchSize, split.SplitLargeRequests));
    }

    [Theory]
    [InlineData("max_batch_size: 128", "1:17", "wants a message")]
    [InlineData("max_batch_size { value: 0 }", "1:1", "from 1 to")]
    [InlineData("max_batch_size { values: 1 }", "1:18", "Int64Value has no field")]
    [InlineData("max_batch_size { value: 5 } allowed_batch_sizes: [4, 2]", "1:1", "ascending")]
    [InlineData("max_batch_size { value: 5 } allowed_batch_sizes: [2, 4]", "1:1", "max_batch_size (5)")]
    [InlineData("batch_timeout_micros { value: 60000001 }", "1:1", "batch_timeout_micros")]
    [InlineData("enable_large_batch_splitting { value: true } max_batch_size { value: 5 } max_execution_batch_size { value: 6 }", "1:74", "larger")]
    [InlineData("batch_size { value: 1 }", "1:1", "no field 'batch_size'")]
    public void Batching_parameters_that_cannot_be_followed_are_refused(string document, string place, string reason) =>
        Refused(() => BatchingFile.Parse(Encoding.UTF8.GetBytes(document), "batching"), "batching:" + place, reason);

    [Theory]
    [InlineData(Monitoring, "/monitoring/prometheus/metrics")]
    [InlineData("prometheus_config { enable: true }", "/monitoring/prometheus/metrics")]
    [InlineData("prometheus_config { enable: true path: '/m/x' }", "/m/x")]
    [InlineData("prometheus_config { path: '/m' }", null)]
    [InlineData("prometheus_config { enable: false }", null)]
    [InlineData("", null)]
    public void Monitoring_paths(string document, string? path) => Assert.Equal(path, MonitoringFile.Parse(Encoding.UTF8.GetBytes(document), "monitoring"));

    [Theory]
    [InlineData("prometheus_config { enable: true path: 'm' }", "1:34", "path")]
    [InlineData("prometheus_config { enable: true path: '/v1/models/x' }", "1:34", "path")]
    [InlineData("prometheus_config { enable: true path: '/{x}' }", "1:34", "path")]
    [InlineData("prometheus_config { enable: 2 }", "1:29", "true or false")]
    [InlineData("prometheus_config { enabled: true }", "1:21", "no field 'enabled'")]
    public void Monitoring_that_cannot_be_followed_is_refused(string document, string place, string reason) =>
        Refused(() => MonitoringFile.Parse(Encoding.UTF8.GetBytes(document), "monitoring"), "monitoring:" + place, reason);

    [Fact]
    public void Ssl_files_demand_clients_certificates_and_bring_no_key()
    {
        using X509Certificate2 authority = TestCertificates.Create("authority");
        string pem = authority.ExportCertificatePem().ReplaceLineEndings("\\n");
        SslFile file = SslFile.Parse(Encoding.UTF8.GetBytes($"server_key: 'k' server_cert: 'c' custom_ca: \"{pem}\" client_verify: true"), "ssl");
        Assert.Equal(authority.Thumbprint, Assert.Single(file.ClientAuthorities!).Thumbprint);
        Assert.Contains("not used", Assert.Single(file.Notes), StringComparison.Ordinal);
        Assert.Null(SslFile.Parse(Encoding.UTF8.GetBytes($"custom_ca: \"{pem}\""), "ssl").ClientAuthorities);
    }

    [Theory]
    [InlineData("client_verify: true", "1:1", "needs custom_ca")]
    [InlineData("client_verify: true custom_ca: '/etc/ca.pem'", "1:21", "PEM")]
    [InlineData("client_verify: true custom_ca: '-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----'", "1:21", "cannot be read")]
    [InlineData("ca: 'x'", "1:1", "no field 'ca'")]
    public void Ssl_files_that_cannot_be_followed_are_refused(string document, string place, string reason) =>
        Refused(() => SslFile.Parse(Encoding.UTF8.GetBytes(document), "ssl"), "ssl:" + place, reason);

    [Fact]
    public async Task A_file_that_is_not_there_or_too_large_is_refused()
    {
        var missing = await Assert.ThrowsAsync<ServingException>(() => ModelConfigFile.ReadAsync("/nowhere/models.config", default));
        Assert.Equal(ServingError.SettingsUnreadable, missing.Error);
        string large = Path.GetTempFileName();
        await File.WriteAllBytesAsync(large, new byte[(1 << 20) + 1]);
        Assert.Equal(ServingError.SettingsMalformed, (await Assert.ThrowsAsync<ServingException>(() => ModelConfigFile.ReadAsync(large, default))).Error);
        await File.WriteAllTextAsync(large, Models);
        Assert.Equal(4, (await ModelConfigFile.ReadAsync(large, default)).Plan.Models.Length);
        File.Delete(large);
    }

    [Fact]
    public void Mutations_are_accepted_or_refused()
    {
        (string Seed, FuzzTarget Target)[] targets = [(Models, ModelConfigFile.Fuzz), (Batching, BatchingFile.Fuzz), (Monitoring, MonitoringFile.Fuzz), ("client_verify: true custom_ca: 'x' server_key: 'k'", SslFile.Fuzz)];
        foreach ((string seed, FuzzTarget target) in targets)
        {
            byte[] valid = Encoding.UTF8.GetBytes(seed);
            for (int round = 1; round <= 5_000; round++)
            {
                var random = new Random(round);
                List<byte> bytes = [.. valid];
                for (int change = random.Next(1, 4); change > 0; change--)
                {
                    int at = random.Next(bytes.Count);
                    if (random.Next(2) == 0) bytes[at] = (byte)random.Next(256);
                    else bytes.Insert(at, valid[random.Next(valid.Length)]);
                }
                target([.. bytes]);
            }
        }
    }

    private delegate void FuzzTarget(ReadOnlySpan<byte> bytes);

    private static void Refused(Action parse, string place, string reason)
    {
        var refusal = Assert.Throws<ServingException>(parse);
        Assert.Equal(ServingError.SettingsRefused, refusal.Error);
        Assert.StartsWith(place + ": ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }
}
