import { Anchor, Badge, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { useQuery } from 'urql';
import { codeOf } from '../api/words';
import { useViewer } from '../frame/Frame';
import { Waiting } from '../frame/Waiting';
import { usePageTitle } from '../frame/usePageTitle';
import { graphql } from '../gql';
import { AccountImages } from '../parts/AccountImages';
import { AdministratorsOnly } from '../parts/AdministratorsOnly';
import { Failure } from '../parts/Failure';
import { UsageMeter } from '../parts/UsageMeter';
import { standingOf } from '../parts/standing';
import { When, onDay } from '../parts/time';
import { NotFound } from './NotFound';
import classes from './Account.module.css';

const AccountQuery = graphql(`
  query Account($login: String!) {
    account(login: $login) {
      ...Standing
      login
      email
      createdAt
      role
      usage(period: CURRENT) {
        ...UsageFields
      }
    }
  }
`);

/** One account, for administrators: who it is, what it has bought and used, and its images. */
export function Account() {
  const { login = '' } = useParams();
  usePageTitle(login);
  return useViewer().role === 'ADMIN' ? <Shown key={login} login={login} /> : <AdministratorsOnly />;
}

function Shown({ login }: { login: string }) {
  const [{ data, error }, ask] = useQuery({ query: AccountQuery, variables: { login } });
  const again = () => ask({ requestPolicy: 'network-only' });
  const account = data?.account;
  if (!account) {
    if (error && codeOf(error) !== 'NOT_FOUND') return <Failure error={error} retry={again} />;
    return data || error ? <NotFound what="account" /> : <Waiting />;
  }
  const { email, createdAt, role, plan, subscription, usage } = account;
  const standing = subscription ? standingOf(subscription) : undefined;
  return (
    <>
      <nav aria-label="Breadcrumb">
        <Anchor component={Link} to="/accounts" size="sm">
          Accounts
        </Anchor>
      </nav>
      <div className={classes.head}>
        <Title order={1}>{account.login}</Title>
        {role === 'ADMIN' && (
          <Badge variant="default" tt="none">
            Administrator
          </Badge>
        )}
      </div>
      <div className={classes.parts}>
        {error && <Failure error={error} retry={again} />}
        <dl className={`card ${classes.facts}`}>
          <Fact name="Plan">{plan?.name ?? '–'}</Fact>
          <Fact name="Subscription">{standing?.label ?? 'None'}</Fact>
          {subscription && (
            <Fact name="Billing period">
              {onDay(subscription.currentPeriodStart)} – {onDay(subscription.currentPeriodEnd)}
            </Fact>
          )}
          <Fact name="Email">{email ?? '–'}</Fact>
          <Fact name="Signed up">
            <When at={createdAt} />
          </Fact>
        </dl>
        {usage && <UsageMeter usage={usage} />}
        <AccountImages login={login} />
      </div>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
