"""Listens to what is told to people and put on buses: a queue of each account's that every topic and every bus writes to."""

import json

from .accounts import DEVELOPMENT, PRODUCTION, REGION, client, pages


class Taps:
    """Opened once both stacks are there."""

    def __init__(self):
        self.queues, self.heard = {}, []
        for account in (PRODUCTION, DEVELOPMENT):
            arn = f"arn:aws:sqs:{REGION}:{account}:drill-tap"
            statement = {"Effect": "Allow", "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]},
                         "Action": "sqs:SendMessage", "Resource": arn}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            made = client("sqs", account).create_queue(QueueName="drill-tap", Attributes={"Policy": policy})
            self.queues[account] = made["QueueUrl"]
            for topic in pages("sns", account, "list_topics", "Topics"):
                client("sns", account).subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=arn)
            events = client("events", account)
            for bus in events.list_event_buses()["EventBuses"]:
                pattern = json.dumps({"source": [{"prefix": ""}]})
                events.put_rule(Name="drill-tap", EventBusName=bus["Name"], EventPattern=pattern)
                events.put_targets(Rule="drill-tap", EventBusName=bus["Name"], Targets=[{"Id": "tap", "Arn": arn}])

    def all(self):
        """Every message so far, with whose it is."""
        for account, queue in self.queues.items():
            while found := client("sqs", account).receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
                for one in found:
                    self.heard.append((account, one["Body"]))
                    client("sqs", account).delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
        return self.heard

    def told(self, account, word):
        """Messages with a word in them."""
        return [body for owner, body in self.all() if owner == account and word in body]
