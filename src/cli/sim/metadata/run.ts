/** `drover sim metadata`: the fakes of three clouds on one port, in the foreground. */
import { createAwsMetadata } from '../../../sim/metadata/aws.ts';
import { createAzureMetadata } from '../../../sim/metadata/azure.ts';
import { createMetadataControl } from '../../../sim/metadata/control.ts';
import { createGcpMetadata } from '../../../sim/metadata/gcp.ts';
import { type MetadataServer, startMetadataServer } from '../../../sim/metadata/server.ts';
import type { Context } from '../../command.ts';
import { CommandError, exitCode, UsageError } from '../../errors.ts';
import type { MetadataFlags } from './command.ts';

export async function run(context: Context, _args: readonly string[], { port }: MetadataFlags): Promise<number> {
  const { clock, random, screen, interrupt, program } = context;
  if (port > 65_535) throw new UsageError(`--port must be at most 65535, not ${port}`);
  const clouds = { azure: createAzureMetadata(), aws: createAwsMetadata(clock), gcp: createGcpMetadata(clock) };
  const id = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  const server = await listen([...Object.values(clouds), createMetadataControl(clouds, clock, id)], port);
  try {
    screen.out(`the metadata services of Azure, AWS and Google Cloud are at ${server.url}`);
    screen.out(`  ${program} sim event aws Spot --url ${server.url}`);
    screen.out('Ctrl-C ends them.');
    if (!interrupt.aborted) await new Promise<void>((done) => interrupt.addEventListener('abort', () => done(), { once: true }));
    return exitCode.ok;
  } finally {
    await server.close();
  }
}

async function listen(...args: Parameters<typeof startMetadataServer>): Promise<MetadataServer> {
  try {
    return await startMetadataServer(...args);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandError(
      `cannot listen on port ${args[1] ?? 0}: ${code === 'EADDRINUSE' ? 'it is in use; choose another --port' : message}`,
      {
        cause: error,
      },
    );
  }
}
