import { Anchor, Badge, Button, Skeleton, Table, Title } from '@mantine/core';
import IconUsers from '@tabler/icons-react/dist/esm/icons/IconUsers.mjs';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { useViewer } from '../frame/Frame';
import { usePageTitle } from '../frame/usePageTitle';
import { graphql } from '../gql';
import { AdministratorsOnly } from '../parts/AdministratorsOnly';
import { Empty } from '../parts/Empty';
import { Failure } from '../parts/Failure';
import { When } from '../parts/time';
import { useArrival } from '../parts/useArrival';
import classes from './Accounts.module.css';

const AccountsQuery = graphql(`
  query Accounts($first: Int!, $after: String) {
    accounts(first: $first, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        cursor
        node {
          id
          login
          email
          role
          createdAt
          plan {
            id
            name
          }
        }
      }
    }
  }
`);

const pageSize = 25;

/** All accounts, newest first, for administrators. */
export function Accounts() {
  usePageTitle('Accounts');
  return useViewer().role === 'ADMIN' ? <List /> : <AdministratorsOnly />;
}

function List() {
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  return (
    <>
      <Title order={1} mb="md">
        Accounts
      </Title>
      <div className={`card ${classes.scroll}`} role="region" aria-label="Accounts" tabIndex={0}>
        <Table verticalSpacing="sm" horizontalSpacing="md" className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Login</Table.Th>
              <Table.Th scope="col">Plan</Table.Th>
              <Table.Th scope="col">Email</Table.Th>
              <Table.Th scope="col">Signed up</Table.Th>
            </Table.Tr>
          </Table.Thead>
          {cursors.map((after, i) => (
            <Page key={after} after={after} more={i === cursors.length - 1 ? (cursor) => setCursors([...cursors, cursor]) : undefined} />
          ))}
        </Table>
      </div>
    </>
  );
}

/** One page of the list; a later one takes the focus from the button that asked for it. */
function Page({ after, more }: { after: string | null; more?: (cursor: string) => void }) {
  const [{ data, error }, ask] = useQuery({ query: AccountsQuery, variables: { first: pageSize, after } });
  const accounts = data?.accounts;
  const rows = useArrival<HTMLTableSectionElement>(Boolean(accounts) && after !== null);

  if (!accounts) {
    return (
      <Whole>
        {error ? (
          <Failure error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
        ) : (
          <Skeleton height={120} role="status" aria-busy="true" aria-label="Loading the accounts" />
        )}
      </Whole>
    );
  }
  if (accounts.edges.length === 0 && after === null) {
    return (
      <Whole>
        <Empty icon={<IconUsers />} title="No accounts yet">
          Whoever signs in for the first time has one, and stands here.
        </Empty>
      </Whole>
    );
  }
  const { hasNextPage, endCursor } = accounts.pageInfo;
  return (
    <>
      <Table.Tbody ref={rows}>
        {accounts.edges.map(({ node }) => (
          <Table.Tr key={node.id}>
            <Table.Td>
              <Anchor component={Link} to={`/accounts/${encodeURIComponent(node.login)}`} fw={600}>
                {node.login}
              </Anchor>{' '}
              {node.role === 'ADMIN' && (
                <Badge variant="default" size="sm" tt="none">
                  Administrator
                </Badge>
              )}
            </Table.Td>
            <Table.Td>{node.plan?.name ?? '–'}</Table.Td>
            <Table.Td>{node.email ?? '–'}</Table.Td>
            <Table.Td>
              <When at={node.createdAt} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
      {more && hasNextPage && (
        <Whole>
          <div className={classes.more}>
            <Button variant="default" onClick={() => more(endCursor!)}>
              Show more
            </Button>
          </div>
        </Whole>
      )}
    </>
  );
}

function Whole({ children }: { children: ReactNode }) {
  return (
    <Table.Tbody>
      <Table.Tr>
        <Table.Td colSpan={4}>{children}</Table.Td>
      </Table.Tr>
    </Table.Tbody>
  );
}
