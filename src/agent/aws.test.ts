import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../lib/clock.ts';
import { type AwsMetadata, createAwsMetadata, type MaintenanceEvent } from '../sim/metadata/aws.ts';
import { awsSources } from './aws.ts';
import type { Source } from './source.ts';
import { type MetadataBed, openMetadataBed } from './testing/metadata-bed.ts';

const NOW = Date.parse('2020-04-24T17:09:44Z');

let clock: VirtualClock;
let aws: AwsMetadata;
let bed: MetadataBed;
let sources: readonly Source[];
beforeEach(async () => {
  clock = createVirtualClock(NOW);
  aws = createAwsMetadata(clock);
  bed = await openMetadataBed(aws, ({ client }) => {
    sources = awsSources({ client, clock, everyMs: 1_000, timeoutMs: 5_000 });
    return sources[0] as Source;
  });
});
afterEach(() => bed.close());

async function read(name: string) {
  const source = sources.find((each) => each.name === name);
  return (await source?.read([], new AbortController().signal))?.signals;
}

const tokensAsked = () => bed.server.calls.filter((call) => call === 'PUT /latest/api/token').length;

describe('the metadata of AWS', () => {
  it('says nothing of a machine that may go on, with one token for all', async () => {
    expect(await Promise.all(sources.map(({ name }) => read(name)))).toEqual(sources.map(() => []));
    for (const { name } of sources) await read(name);
    expect(tokensAsked()).toBe(1);
  });

  it('asks for a new token when the old one is refused or about to end', async () => {
    await read('aws-spot');
    aws.revokeTokens();
    expect(await read('aws-spot')).toEqual([]);
    expect(tokensAsked()).toBe(2);
    await clock.advance(21_600_000 - 30_000);
    expect(await read('aws-spot')).toEqual([]);
    expect(tokensAsked()).toBe(3);
  });

  it('fails when the service refuses every token', async () => {
    bed.server.fail({ do: 'Answer', status: 401, body: '' }, '/latest/meta-data');
    await expect(read('aws-spot')).rejects.toThrow('IMDS/spot/instance-action answered 401');
    expect(tokensAsked()).toBe(2);
  });

  it('takes nothing for a token that is none', async () => {
    bed.server.fail({ do: 'Answer', status: 200, body: '<html>\nlog in\n</html>' }, '/latest/api');
    await expect(read('aws-spot')).rejects.toThrow('IMDSv2 answered something that is not a token');
  });

  it.each(['terminate', 'stop', 'hibernate'] as const)('has a spot notice: %s', async (action) => {
    aws.spot({ action, time: '2020-04-24T17:11:44Z' });
    expect(await read('aws-spot')).toEqual([
      {
        kind: 'SpotInterruption',
        source: 'aws',
        id: `${action}-2020-04-24T17:11:44Z`,
        since: '2020-04-24T17:09:44Z',
        notBefore: '2020-04-24T17:11:44Z',
        goneAt: '2020-04-24T17:11:44Z',
        revocable: false,
        message: `the spot instance is interrupted (${action}) at 2020-04-24T17:11:44Z`,
      },
    ]);
  });

  it('has a rebalance recommendation, which ends nothing', async () => {
    aws.rebalance('2020-10-26T15:55:33Z');
    const [signal] = (await read('aws-rebalance')) ?? [];
    expect(signal).toMatchObject({ kind: 'RebalanceRecommendation', since: '2020-10-26T15:55:33Z', revocable: true });
    expect(signal).not.toHaveProperty('goneAt');
  });

  const scheduled: MaintenanceEvent = {
    NotBefore: '21 Jan 2019 09:00:43 GMT',
    NotAfter: '21 Jan 2019 09:17:23 GMT',
    Code: 'system-reboot',
    Description: 'scheduled reboot',
    EventId: 'instance-event-0d59937288b749b32',
    State: 'active',
  };

  it.each([
    ['system-reboot', 'Reboot', true],
    ['instance-reboot', 'Reboot', true],
    ['instance-stop', 'Redeploy', true],
    ['instance-retirement', 'Terminate', true],
    ['system-maintenance', 'Maintenance', false],
  ] as const)('has scheduled events: %s is a %s', async (Code, kind, ends) => {
    aws.maintenance([{ ...scheduled, Code }]);
    expect(await read('aws-maintenance')).toEqual([
      {
        kind,
        source: 'aws',
        id: scheduled.EventId,
        since: '2020-04-24T17:09:44Z',
        notBefore: '2019-01-21T09:00:43Z',
        ...(ends && { goneAt: '2019-01-21T09:00:43Z' }),
        revocable: true,
        message: `${Code} from 2019-01-21T09:00:43Z: scheduled reboot`,
      },
    ]);
  });

  it('has no event any more that was canceled or completed', async () => {
    aws.maintenance([
      { ...scheduled, State: 'canceled', Description: '[Canceled] scheduled reboot' },
      { ...scheduled, State: 'completed' },
    ]);
    expect(await read('aws-maintenance')).toEqual([]);
  });

  it.each([
    ['InService', 0],
    ['Standby', 0],
    ['Warmed:Running', 0],
    ['Terminated', 1],
    ['Warmed:Terminated', 1],
  ])('has the lifecycle state that its Auto Scaling group wants: %s', async (state, count) => {
    aws.lifecycle(state);
    expect(await read('aws-autoscaling')).toHaveLength(count);
    // The id has no time in it: it is one event, however often it is read.
    expect((await read('aws-autoscaling'))?.[0]?.id).toBe(count === 0 ? undefined : `target-${state}`);
  });

  it.each([
    ['aws-spot', '{', 'not JSON'],
    ['aws-spot', '[]', 'no action'],
    ['aws-spot', '{"action":"terminate","time":"later"}', 'is not a time: later'],
    ['aws-rebalance', '{}', 'is not a time'],
    ['aws-maintenance', '{}', 'is not a list'],
    ['aws-maintenance', '[null]', '[0] has no Code or EventId'],
    ['aws-maintenance', '[{"Code":"x","EventId":"y"}]', '[0].NotBefore is not a time'],
    ['aws-autoscaling', '<html>', 'is not a state'],
  ])('fails in %s with %s', async (name, body, message) => {
    bed.server.fail({ do: 'Answer', status: 200, body }, '/latest/meta-data');
    await expect(read(name)).rejects.toThrow(message);
  });

  it('fails with every other way of not answering', () => bed.survivesFaults('the token of IMDSv2 answered'));

  it('knows again what each of its sources has told', () => {
    const of = (kind: string) => ({ kind, source: 'aws', id: 'x', since: '', revocable: false, message: '' });
    const owners = (kind: string) => sources.filter((source) => source.owns(of(kind))).map(({ name }) => name);
    expect(['SpotInterruption', 'RebalanceRecommendation', 'AutoscalingTermination', 'Reboot', 'a-new-code'].map(owners)).toEqual(
      [['aws-spot'], ['aws-rebalance'], ['aws-autoscaling'], ['aws-maintenance'], ['aws-maintenance']],
    );
  });
});
