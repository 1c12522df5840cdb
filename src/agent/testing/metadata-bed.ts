/** A source, its client and a fake metadata service on real HTTP, and all the ways in which the service can fail. */
import { expect } from 'vitest';
import type { NodeSignal } from '../../api/node-signal.ts';
import { type MetadataServer, startMetadataServer } from '../../sim/metadata/server.ts';
import type { MetadataService } from '../../sim/metadata/service.ts';
import { createMetadataClient, type MetadataClient } from '../metadata-client.ts';
import type { Source } from '../source.ts';

export interface MetadataBed {
  readonly server: MetadataServer;
  readonly client: MetadataClient;
  /** One reading. */
  signals(earlier?: readonly NodeSignal[], signal?: AbortSignal): Promise<readonly NodeSignal[]>;
  /** @param answered what the message of a status that is no answer begins with */
  survivesFaults(answered: string): Promise<void>;
  close(): Promise<void>;
}

export async function openMetadataBed(
  service: MetadataService,
  make: (deps: { readonly client: MetadataClient }) => Source,
): Promise<MetadataBed> {
  const server = await startMetadataServer([service]);
  const client = createMetadataClient(server.url);
  const source = make({ client });
  const signals = async (earlier: readonly NodeSignal[] = [], signal = new AbortController().signal) =>
    (await source.read(earlier, signal)).signals;
  return {
    server,
    client,
    signals,
    async survivesFaults(answered) {
      for (const status of [400, 403, 429, 500, 503]) {
        server.fail({ do: 'Answer', status, body: '<html>busy\n</html>' });
        await expect(signals()).rejects.toThrow(new RegExp(`^${answered} ${status}: busy$`));
      }
      server.fail({ do: 'Answer', status: 200, body: '<html>log in</html>' });
      await expect(signals()).rejects.toThrow();
      server.fail({ do: 'CutShort' });
      await expect(signals()).rejects.toThrow('the answer was cut short');
      server.fail({ do: 'Flood' });
      await expect(signals()).rejects.toThrow('answered more than 256 KiB');
      server.fail({ do: 'Hang' });
      const late = new AbortController();
      const hanging = signals([], late.signal);
      late.abort(new Error('no answer within 5 s'));
      await expect(hanging).rejects.toThrow('no answer within 5 s');
      server.fail(null);
      expect(await signals()).toEqual([]);
    },
    async close() {
      client.close();
      await server.close();
    },
  };
}
