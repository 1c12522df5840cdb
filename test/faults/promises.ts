/** Everything that Drover promises, each watched over on its own. */
import type { KeepWatch } from './promises/promise.ts';
import { keepsBudgets } from './promises/budgets.ts';
import { deletesOnlyByEviction } from './promises/deletions.ts';
import { endsOrNamesABlocker } from './promises/endings.ts';
import { handsOverWhereItCan, leavesNoOrphan, losesNoReadyPod } from './promises/handovers.ts';
import { keepsLimits } from './promises/limits.ts';
import { touchesOnlyItsOwn } from './promises/marks.ts';
import { doesNotSpin } from './promises/pace.ts';
import { rebootsOnceWhatItDrained } from './promises/reboots.ts';
import { asksOnlyWhatBudgetsAllow } from './promises/requests.ts';
import { drainsWhatItCallsDrained, oneMaintenancePerNode } from './promises/phases.ts';

export const promises: readonly KeepWatch[] = [
  doesNotSpin,
  deletesOnlyByEviction,
  keepsBudgets,
  asksOnlyWhatBudgetsAllow,
  keepsLimits,
  touchesOnlyItsOwn,
  oneMaintenancePerNode,
  drainsWhatItCallsDrained,
  rebootsOnceWhatItDrained,
  losesNoReadyPod,
  handsOverWhereItCan,
  leavesNoOrphan,
  endsOrNamesABlocker,
];
