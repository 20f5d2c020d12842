// The two methods that the package has and its public typings leave out, with the package's own
// inner typings in place of the public ones.
import { pools } from "@wix/benefit-programs";
import { createClient } from "@wix/sdk";

type Ids = (string | undefined)[];

/** Move a redemption to another day and cancel it; the ids of both transactions. */
export async function moveAndCancel(transactionId: string, memberId: string): Promise<Ids> {
  const client = createClient({ modules: { pools } });
  const options: pools.ReallocateBenefitOptions = {
    targetDate: new Date(),
    beneficiary: { memberId },
    namespace: "gym",
    idempotencyKey: "move",
  };
  const moved = await client.pools.reallocateBenefit(transactionId, options);
  const canceled = await client.pools.cancelRedemption(moved.transactionId ?? "", {
    idempotencyKey: "cancel",
  });
  return [moved.transactionId, canceled.transactionId];
}
