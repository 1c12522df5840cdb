/** `drover notify test`: one message through each channel, once, side by side. */
import type { NotifyEntry, OwnNotify } from '../../../api/notify.ts';
import { formatFieldErrors, parsePolicy } from '../../../api/validate.ts';
import { DeliveryError } from '../../../notify/channel.ts';
import { openChannel } from '../../../notify/open-channel.ts';
import { secretsOf, textOf } from '../../../notify/read-secret.ts';
import { testNotice } from '../../../notify/test-notice.ts';
import type { Context } from '../../command.ts';
import { readControllerConfig } from '../../controller-config.ts';
import { CommandError, exitCode } from '../../errors.ts';
import { printObject } from '../../print-object.ts';
import { readPolicies } from '../../resources.ts';
import { table } from '../../table.ts';
import { readYaml } from '../../config-file.ts';
import type { NotifyTestFlags } from './command.ts';

interface Named {
  /** "nightly/ops", or "ops" of the configuration. */
  readonly name: string;
  readonly entry: NotifyEntry;
}

interface Row {
  readonly channel: string;
  readonly type: string;
  readonly delivered: boolean;
  readonly answer: string;
}

export async function run(context: Context, _args: readonly string[], flags: NotifyTestFlags): Promise<number> {
  const { clusterName, channels } = await channelsOf(context, flags);
  const secrets = secretsOf(() => context.client(), context.clock, context.env);
  const userAgent = `${context.program.replace(' ', '-')}-notify-test`;
  const send = async ({ name, entry }: Named): Promise<Row> => {
    const channel = openChannel(entry, { clock: context.clock, secrets, readFile: textOf, userAgent });
    const row = { channel: name, type: entry.channel.type };
    try {
      await channel.deliver(testNotice(context.identity, context.clock.now(), { clusterName }), null);
      return { ...row, delivered: true, answer: 'delivered' };
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      return { ...row, delivered: false, answer: error.message };
    } finally {
      await channel.close();
    }
  };
  const rows = await Promise.all(channels.map(send));
  if (flags.output === 'text') {
    for (const line of table(
      ['CHANNEL', 'TYPE', 'ANSWER'],
      rows.map(({ channel, type, answer }) => [channel, type, answer]),
    ))
      context.screen.out(line);
  } else await printObject(context.screen, flags.output, { channels: rows });
  return rows.every(({ delivered }) => delivered) ? exitCode.ok : exitCode.error;
}

async function channelsOf(
  context: Context,
  { policy, channel, config }: NotifyTestFlags,
): Promise<{ clusterName: string; channels: readonly Named[] }> {
  const settings = config === null ? null : readControllerConfig(await readYaml(config), {}, config);
  const own = (settings?.notify ?? []).map((entry: OwnNotify): Named => ({ name: entry.name, entry }));
  const theirs = settings === null || policy !== null ? await policyChannels(context, policy) : [];
  const all = [...own, ...theirs];
  const channels = channel === null ? all : all.filter(({ entry }) => entry.name === channel);
  if (channels.length > 0) return { clusterName: settings?.clusterName ?? '', channels };
  const where =
    [...(config === null ? [] : [config]), ...(policy === null ? [] : [`policy ${policy}`])].join(' and ') || 'any policy';
  if (channel !== null && all.length > 0)
    throw new CommandError(`no channel of ${where} is called "${channel}"; there are: ${all.map(({ name }) => name).join(', ')}`);
  throw new CommandError(`${where} has no notify: there is nothing to test`);
}

async function policyChannels(context: Context, only: string | null): Promise<Named[]> {
  const policies = await readPolicies(await context.client());
  if (policies === null)
    throw new CommandError(
      `the cluster has no Drover resources; test the configuration alone with --config, or install them with: ${context.program} crds | kubectl apply -f -`,
    );
  const chosen = policies.filter(({ metadata }) => only === null || metadata.name === only);
  if (only !== null && chosen.length === 0) throw new CommandError(`policy "${only}" is not there`);
  return chosen.flatMap((each) => {
    const { name } = each.metadata;
    const parsed = parsePolicy(each);
    if (!parsed.ok) {
      const [first = '', ...rest] = formatFieldErrors('MaintenancePolicy', name, parsed.errors);
      throw new CommandError(first, { details: rest });
    }
    return (parsed.value.spec.notify ?? []).map((entry): Named => ({ name: `${name}/${entry.name}`, entry }));
  });
}
