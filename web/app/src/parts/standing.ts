import { graphql } from '../gql';
import type { StandingFragment } from '../gql/graphql';
import { onDay } from './time';

export const PlanFields = graphql(`
  fragment PlanFields on Plan {
    id
    name
    description
    price {
      currency
      unitAmount
      interval
      meteredUnitAmountPerMinute
    }
    limits {
      concurrentBuilds
      images
      includedBuildMinutes
      paidBuildMinutes
      buildTimeoutSeconds
      cpu
      memory
    }
  }
`);

/** What an account has bought, and how that stands. */
export const Standing = graphql(`
  fragment Standing on Account {
    id
    plan {
      ...PlanFields
    }
    subscription {
      status
      currentPeriodStart
      currentPeriodEnd
      cancelAtPeriodEnd
    }
  }
`);

export type Subscription = NonNullable<StandingFragment['subscription']>;

/** How a subscription stands, in words: what is so, and where something is amiss, what to do. */
export function standingOf({ status, cancelAtPeriodEnd, currentPeriodEnd }: Subscription): { label: string; text: string; amiss: boolean } {
  const end = onDay(currentPeriodEnd);
  switch (status) {
    case 'ACTIVE':
    case 'TRIALING': {
      const label = status === 'ACTIVE' ? 'Active' : 'In trial';
      if (cancelAtPeriodEnd) {
        return {
          label: 'Ends soon',
          text: `Cancelled: it ends on ${end}, and until then everything stays as it is. Take that back under “Manage billing”.`,
          amiss: false,
        };
      }
      return { label, text: status === 'ACTIVE' ? `Paid. It renews on ${end}.` : `The trial ends on ${end}; the first payment follows.`, amiss: false };
    }
    case 'PAST_DUE':
      return {
        label: 'Payment failed',
        text: 'The last payment failed. Stripe will try it again: check the card under “Manage billing” before the plan ends.',
        amiss: true,
      };
    case 'UNPAID':
      return {
        label: 'Unpaid',
        text: 'The payments failed, and Stripe has given up. Pay the open invoice under “Manage billing” to have the plan again.',
        amiss: true,
      };
    case 'INCOMPLETE':
      return {
        label: 'First payment due',
        text: 'The first payment is still to come: the bank may want you to confirm it. Finish it under “Manage billing”.',
        amiss: true,
      };
    case 'INCOMPLETE_EXPIRED':
      return { label: 'Never paid', text: 'The first payment never came. Choose a plan again.', amiss: true };
    case 'PAUSED':
      return { label: 'Paused', text: 'The trial ended without a card. Add one under “Manage billing” to go on.', amiss: true };
    case 'CANCELED':
      return { label: 'Ended', text: 'The subscription has ended. Choose a plan to have one again.', amiss: false };
  }
}
