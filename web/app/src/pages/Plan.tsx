import { Alert, Button, Skeleton, Text, Title } from '@mantine/core';
import IconCheck from '@tabler/icons-react/dist/esm/icons/IconCheck.mjs';
import IconExternalLink from '@tabler/icons-react/dist/esm/icons/IconExternalLink.mjs';
import IconInfoCircle from '@tabler/icons-react/dist/esm/icons/IconInfoCircle.mjs';
import IconTags from '@tabler/icons-react/dist/esm/icons/IconTags.mjs';
import { useSearchParams } from 'react-router';
import { useQuery } from 'urql';
import { useChange } from '../api/useChange';
import { useLive } from '../api/useLive';
import { usePageTitle } from '../frame/usePageTitle';
import { graphql } from '../gql';
import type { PlanFieldsFragment } from '../gql/graphql';
import { Empty } from '../parts/Empty';
import { Failure } from '../parts/Failure';
import { PlanCard } from '../parts/PlanCard';
import { StandingNotice } from '../parts/StandingNotice';
import { useDeparture } from '../parts/useDeparture';
import classes from './Plan.module.css';

const PlanQuery = graphql(`
  query Plan {
    plans {
      ...PlanFields
    }
    viewer {
      ...Standing
    }
  }
`);

const PlanChanged = graphql(`
  subscription PlanChanged {
    viewerChanged {
      ...Standing
    }
  }
`);

const CreateCheckoutSession = graphql(`
  mutation CreateCheckoutSession($input: CreateCheckoutSessionInput!) {
    createCheckoutSession(input: $input) {
      url
    }
  }
`);

const CreatePortalSession = graphql(`
  mutation CreatePortalSession($input: CreatePortalSessionInput!) {
    createPortalSession(input: $input) {
      url
    }
  }
`);

/** The plans beside each other, the present one marked, and the ways to change it: both lead to pages at Stripe. */
export function Plan() {
  usePageTitle('Plan');
  const [{ data, error }, ask] = useQuery({ query: PlanQuery });
  useLive(PlanChanged, {});
  const present = data?.viewer?.plan;
  const subscription = data?.viewer?.subscription;
  const again = () => ask({ requestPolicy: 'network-only' });
  return (
    <>
      <div className={classes.head}>
        <Title order={1}>Plan</Title>
        <Portal />
      </div>
      <div className={classes.notices}>
        <Returned />
        {subscription && <StandingNotice subscription={subscription} />}
        {error && <Failure error={error} retry={again} />}
        {present && !data?.plans.some((plan) => plan.id === present.id) && (
          <Alert color="dock" variant="light" icon={<IconInfoCircle />} title={`Your plan is ${present.name}`}>
            It is no longer sold, and stays yours until you change it.
          </Alert>
        )}
      </div>
      {data?.plans.length === 0 && (
        <div className="card">
          <Empty icon={<IconTags />} title="No plan is for sale">
            This installation’s people sell plans as products in Stripe: ask them.
          </Empty>
        </div>
      )}
      <div className={classes.plans}>
        {data?.plans.map((plan) => (
          <PlanCard
            key={plan.id}
            plan={plan}
            present={plan.id === present?.id}
            action={<Action plan={plan} present={plan.id === present?.id} paid={Boolean(subscription)} />}
          />
        ))}
        {!data && !error && <Waiting />}
      </div>
    </>
  );
}

/** What can be done about a plan. */
function Action({ plan, present, paid }: { plan: PlanFieldsFragment; present: boolean; paid: boolean }) {
  const checkout = useChange(CreateCheckoutSession);
  const departure = useDeparture();
  if (present) return null;
  if (!plan.price || plan.price.unitAmount === 0) {
    return paid ? (
      <Text c="dimmed" size="sm">
        To come back to it, cancel your plan under “Manage billing”.
      </Text>
    ) : null;
  }
  return (
    <div className={classes.action}>
      <Failure error={checkout.error} />
      <Button
        fullWidth
        loading={checkout.busy || departure.leaving}
        onClick={async () => {
          const opened = await checkout.run({ plan: plan.id });
          if (opened) departure.leave(opened.createCheckoutSession.url);
        }}
      >
        Switch to {plan.name}
      </Button>
    </div>
  );
}

function Portal() {
  const portal = useChange(CreatePortalSession);
  const departure = useDeparture();
  return (
    <div className={classes.portal}>
      <Button
        variant="default"
        rightSection={<IconExternalLink size={16} />}
        loading={portal.busy || departure.leaving}
        onClick={async () => {
          const opened = await portal.run({});
          if (opened) departure.leave(opened.createPortalSession.url);
        }}
      >
        Manage billing
      </Button>
      <Failure error={portal.error} />
    </div>
  );
}

/** What came of the Checkout page, which leads back here with that in the address. */
function Returned() {
  const [params, setParams] = useSearchParams();
  const outcome = params.get('checkout');
  if (outcome !== 'success' && outcome !== 'cancelled') return null;
  const paid = outcome === 'success';
  return (
    <Alert
      color={paid ? 'dock' : 'gray'}
      variant="light"
      icon={paid ? <IconCheck /> : <IconInfoCircle />}
      title={paid ? 'Thank you' : 'Nothing was bought'}
      role="status"
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={() =>
        setParams(
          (before) => {
            before.delete('checkout');
            return before;
          },
          { replace: true },
        )
      }
    >
      {paid
        ? 'The payment is on its way. Your plan changes as soon as Stripe confirms it, and this page shows it by itself.'
        : 'You left the page at Stripe, and your plan is what it was. Choose one whenever you like.'}
    </Alert>
  );
}

function Waiting() {
  return [1, 2, 3].map((each) => <Skeleton key={each} height={380} radius="lg" />);
}
