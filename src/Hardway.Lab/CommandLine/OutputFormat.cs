namespace Hardway.Lab.CommandLine;

internal enum OutputFormat
{
    Text,
    Json,
}
