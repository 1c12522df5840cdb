import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeSignal } from '../api/node-signal.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { type AzureMetadata, createAzureMetadata } from '../sim/metadata/azure.ts';
import type { Emptied, TouchedMachines } from './emptied.ts';
import { azureResourceOf, azureSource, readScheduledEvents } from './azure.ts';
import { type MetadataBed, openMetadataBed } from './testing/metadata-bed.ts';

const NOW = Date.parse('2016-09-19T18:14:47Z');
const own = 'FrontEnd_IN_0';
// The document of the vendor's page, with all that version 2020-07-01 has.
const event = {
  EventId: 'C7061BAC-AFDC-4513-B24B-AA5F13A16123',
  EventType: 'Freeze',
  Resources: [own, 'BackEnd_IN_0'],
  NotBefore: 'Mon, 19 Sep 2016 18:29:47 GMT',
  Description: 'Virtual machine is being paused because of a memory-preserving Live Migration operation.',
  DurationInSeconds: 5,
} as const;

let azure: AzureMetadata;
let emptied: Emptied;
let bed: MetadataBed;
beforeEach(async () => {
  azure = createAzureMetadata();
  emptied = () => Promise.resolve(false);
  bed = await openMetadataBed(azure, ({ client }) =>
    azureSource({
      client,
      clock: createVirtualClock(NOW),
      resource: own,
      everyMs: 1_000,
      timeoutMs: 5_000,
      log: silentLog,
      emptied: (touched) => emptied(touched),
    }),
  );
});
afterEach(() => bed.close());

describe('Azure Scheduled Events', () => {
  it('are asked with the header and the version that the service wants', async () => {
    expect(await bed.signals()).toEqual([]);
    expect(bed.server.calls).toEqual(['GET /metadata/scheduledevents?api-version=2020-07-01']);
  });

  it('are told with all that is known of them', async () => {
    azure.schedule(event);
    expect(await bed.signals()).toEqual([
      {
        kind: 'Freeze',
        source: 'azure',
        id: event.EventId,
        since: '2016-09-19T18:14:47Z',
        notBefore: '2016-09-19T18:29:47Z',
        goneAt: '2016-09-19T18:29:47Z',
        revocable: true,
        message: `Freeze scheduled by the platform, 5 s: ${event.Description}`,
      },
    ]);
  });

  it('of other machines are not ours, and the name is compared without case', async () => {
    azure.schedule({ ...event, Resources: ['BackEnd_IN_0'] });
    azure.schedule({ ...event, EventId: 'b', Resources: ['FRONTEND_in_0'] });
    expect((await bed.signals()).map(({ id }) => id)).toEqual(['b']);
  });

  it.each([
    ['Preempt', 'SpotInterruption', false],
    ['Terminate', 'Terminate', false],
    ['Reboot', 'Reboot', true],
    ['Redeploy', 'Redeploy', true],
  ] as const)('of type %s are of kind %s', async (EventType, kind, revocable) => {
    azure.schedule({ ...event, EventType });
    expect(await bed.signals()).toMatchObject([{ kind, revocable, goneAt: '2016-09-19T18:29:47Z' }]);
  });

  it('keep their times when they have started and are gone when they are over', async () => {
    azure.schedule({ ...event, EventType: 'Reboot' });
    const scheduled = await bed.signals();
    azure.start(event.EventId);
    expect(await bed.signals(scheduled)).toMatchObject([
      { kind: 'Reboot', started: true, revocable: false, notBefore: '2016-09-19T18:29:47Z', goneAt: '2016-09-19T18:29:47Z' },
    ]);
    azure.remove(event.EventId);
    expect(await bed.signals(scheduled)).toEqual([]);
  });

  it('may begin as soon as all that they touch is drained, and that is said once', async () => {
    const asked: TouchedMachines[] = [];
    azure.schedule({ ...event, EventType: 'Reboot' });
    emptied = (touched) => Promise.resolve(asked.push(touched) === 2);
    const posts = () => bed.server.calls.filter((call) => call.startsWith('POST'));
    await bed.signals();
    expect(posts()).toEqual([]);
    const scheduled = await bed.signals();
    expect(posts()).toEqual(['POST /metadata/scheduledevents?api-version=2020-07-01']);
    expect(await bed.signals(scheduled)).toMatchObject([{ kind: 'Reboot', started: true }]);
    expect(asked).toEqual(Array.from({ length: 2 }, () => ({ id: event.EventId, machines: 2 })));
  });

  it('are told also while they cannot be acknowledged', async () => {
    azure.schedule({ ...event, EventType: 'Redeploy' });
    emptied = () => Promise.reject(new Error('forbidden'));
    expect(await bed.signals()).toMatchObject([{ kind: 'Redeploy' }]);
  });

  it('that were cancelled before they began are gone, too', async () => {
    azure.schedule(event);
    const scheduled = await bed.signals();
    azure.remove(event.EventId);
    expect(await bed.signals(scheduled)).toEqual([]);
  });

  it('that begin without a notice are a failure of the hardware, and stay one', async () => {
    await bed.signals();
    azure.schedule({ ...event, EventType: 'Reboot', EventStatus: 'Started', NotBefore: '' });
    const first = await bed.signals();
    expect(first).toMatchObject([{ kind: 'HardwareFailure', started: true, goneAt: '2016-09-19T18:14:47Z' }]);
    expect(await bed.signals(first)).toEqual(first);
  });

  it('that had begun before the agent did, or that somebody asked for, are not', async () => {
    azure.schedule({ ...event, EventType: 'Reboot', EventStatus: 'Started', NotBefore: '' });
    expect(await bed.signals()).toMatchObject([{ kind: 'Reboot' }]);
    azure.schedule({ ...event, EventId: 'b', EventType: 'Reboot', EventStatus: 'Started', NotBefore: '', EventSource: 'User' });
    expect((await bed.signals()).find(({ id }) => id === 'b')).toMatchObject({ kind: 'Reboot' });
  });

  it('without impact end nothing', async () => {
    azure.schedule({ ...event, DurationInSeconds: 0 });
    expect((await bed.signals())[0]).not.toHaveProperty('goneAt');
  });

  it('are none for as long as the service, just switched on, answers nothing', async () => {
    azure.answerNothing(true);
    expect(await bed.signals()).toEqual([]);
  });

  it("take times as the vendor's mock server writes them", () => {
    const body = JSON.stringify({
      DocumentIncarnation: 2,
      Events: [{ ...event, EventStatus: 'Scheduled', NotBefore: '2016-09-19T18:29:47Z' }],
    });
    const earlier: NodeSignal[] = [];
    expect(readScheduledEvents(body, { resource: own, now: NOW, earlier, hasLooked: false }).signals).toMatchObject([
      { notBefore: '2016-09-19T18:29:47Z' },
    ]);
  });

  it.each([
    ['{', 'something that is not JSON'],
    ['[]', 'a document without Events'],
    ['null', 'a document without Events'],
    ['{"Events":[{}]}', 'Events[0] has no EventId or EventType'],
    ['{"Events":[{"EventId":"a","EventType":"Reboot","Resources":"x"}]}', 'Events[0].Resources is not a list of names'],
    [
      '{"Events":[{"EventId":"a","EventType":"Reboot","Resources":["x"],"NotBefore":"soon"}]}',
      'Events[0].NotBefore is not a time: soon',
    ],
  ])('answered with %s are an error', async (body, message) => {
    bed.server.fail({ do: 'Answer', status: 200, body });
    await expect(bed.signals()).rejects.toThrow(message);
  });

  it('are an error with every other way of not answering', () => bed.survivesFaults('Azure Scheduled Events answered'));
});

describe('azureResourceOf', () => {
  const group = 'azure:///subscriptions/S/resourceGroups/G/providers/Microsoft.Compute';
  it.each([
    [`${group}/virtualMachineScaleSets/aks-user-123-vmss/virtualMachines/7`, 'aks-user-123-vmss_7'],
    [`${group}/virtualMachineScaleSets/flex/virtualMachines/flex_0a1b2c3d`, 'flex_0a1b2c3d'],
    [`${group}/virtualMachines/worker-1`, 'worker-1'],
    ['', null],
    ['aws:///eu-west-1a/i-1', null],
  ])('%s is %s', (providerId, resource) => {
    expect(azureResourceOf(providerId)).toBe(resource);
  });
});
