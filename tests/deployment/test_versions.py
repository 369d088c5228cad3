"""Versions: what leads to a new one, that everyone invokes the alias, and how traffic moves."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from samcli.lib.utils.hash import dir_checksum
from stack import REPOSITORY, Refused, Stack, template
from test_options import APPCONFIG, variables
from test_permissions import allowed

FUNCTIONS = ("FlowFunction", "EventFunction")
ALIAS = "arn:aws:lambda:us-east-1:111122223333:function:{}:live"
# They change the poller, the rule or a function's concurrency, which are no part of a version. docs/operations.md sets them without a build.
AT_ONCE = {
    "EventPolling": "false",
    "EventRuleState": "ENABLED",
    "FlowReservedConcurrency": "0",
    "EventReservedConcurrency": "2",
}


def built(mapping, build, folder):
    """What the Makefile makes for a mapping, but for the binary; returns the hash that SAM names the zip file by."""
    root, artifacts = Path(folder) / "root", Path(folder) / "artifacts"
    shutil.rmtree(folder, ignore_errors=True)
    artifacts.mkdir(parents=True)
    (root / "deploy").mkdir(parents=True)
    shutil.copy(REPOSITORY / "deploy" / "Makefile", root / "deploy")
    (root / "mapping.yaml").write_text(mapping)
    (root / "domain.json").write_text("{}")
    (root / "template.yaml").write_text("    Architectures: [arm64]\n")
    stub = root / "deploy" / "build"
    stub.write_text('#!/bin/sh\necho "$PWD/binary"\n')
    stub.chmod(0o755)
    (root / "binary").write_text("a binary")
    command = ["make", "--silent", "--file", "deploy/Makefile", "build-FlowFunction", f"ARTIFACTS_DIR={artifacts}", f"BUILD={build}"]
    subprocess.run(command, cwd=root, check=True, env={"PATH": os.environ["PATH"]})
    return dir_checksum(str(artifacts))


def versions(code):
    return {name for name, resource in template(code=code)["Resources"].items() if resource["Type"] == "AWS::Lambda::Version"}


class Versions(unittest.TestCase):
    def setUp(self):
        if not shutil.which("make"):
            self.skipTest("make is not installed")

    def test_a_mapping_alone_makes_another_version_of_each_function(self):
        with tempfile.TemporaryDirectory() as folder:
            before, same, after = (versions(built(mapping, "now", f"{folder}/build")) for mapping in ("one", "one", "two"))
        self.assertEqual(len(before), len(FUNCTIONS))
        self.assertEqual(before, same)
        self.assertFalse(before & after, "a mapping was deployed, and `live` would stay on the old one")

    def test_every_build_makes_another_version(self):
        """SAM does not look at the values of parameters: without it, a changed parameter would wait for the next change of the code."""
        with tempfile.TemporaryDirectory() as folder:
            before, after = (versions(built("one", build, f"{folder}/build")) for build in ("today", "tomorrow"))
        self.assertFalse(before & after)


class Alias(unittest.TestCase):
    def test_everyone_invokes_the_alias(self):
        stack = Stack(APPCONFIG)
        resources = {name: resource["Properties"] for name, resource in stack.resources.items() if "Properties" in resource}
        flow, event = (ALIAS.format(function) for function in FUNCTIONS)
        self.assertEqual(resources["FlowPermission"]["FunctionName"], flow)
        self.assertEqual(resources["FlowIntegration"]["IntegrationArn"], flow)
        self.assertEqual(resources["EventQueuePoller"]["FunctionName"], event)
        self.assertEqual((stack.outputs["FlowFunction"], stack.outputs["EventFunction"]), (flow, event))
        self.assertEqual((stack.outputs["FlowFunctionName"], stack.outputs["EventFunctionName"]), FUNCTIONS)
        for configuration in stack.of_type("AWS::Lambda::EventInvokeConfig").values():
            self.assertEqual(configuration["Qualifier"], "live")
        for permission in stack.of_type("AWS::Lambda::Permission").values():
            self.assertTrue(permission["FunctionName"].endswith(":live"), permission)

    def test_old_versions_stay_so_that_one_can_go_back(self):
        found = [resource for resource in template()["Resources"].values() if resource["Type"] == "AWS::Lambda::Version"]
        self.assertEqual([version["DeletionPolicy"] for version in found], ["Retain"] * len(FUNCTIONS))

    def test_what_is_set_without_a_build_is_no_part_of_a_version(self):
        """A version keeps its configuration, so such a parameter would not take effect."""
        before = Stack()
        for name, value in AT_ONCE.items():
            after = Stack({name: value})
            for function in FUNCTIONS:
                properties = [dict(stack.resources[function]["Properties"]) for stack in (before, after)]
                for one in properties:
                    one.pop("ReservedConcurrentExecutions", None)
                self.assertEqual(*properties, name)
            self.assertNotEqual(json.dumps(before.resources), json.dumps(after.resources), f"{name} changes nothing")


class Rollout(unittest.TestCase):
    def test_codedeploy_watches_alarms_that_the_stack_has(self):
        for parameters in ({}, {"MetricsNamespace": "", "Dashboard": "false"}):
            stack = Stack(parameters)
            groups = stack.of_type("AWS::CodeDeploy::DeploymentGroup")
            self.assertEqual(len(groups), len(FUNCTIONS))
            for name, group in groups.items():
                watched = {alarm["Name"] for alarm in group["AlarmConfiguration"]["Alarms"]}
                self.assertTrue(watched and watched <= stack.resources.keys(), name)
                self.assertIn("DEPLOYMENT_STOP_ON_ALARM", group["AutoRollbackConfiguration"]["Events"])
                self.assertTrue(group["ServiceRoleArn"].endswith(":role/CodeDeployRole"))

    def test_each_rollout_is_one_that_codedeploy_has(self):
        for rollout in template()["Parameters"]["Rollout"]["AllowedValues"]:
            group = template(Rollout=rollout)["Resources"]["FlowFunctionDeploymentGroup"]["Properties"]
            self.assertEqual(group["DeploymentConfigName"]["Fn::Sub"][1], {"ConfigName": rollout})

    def test_without_gradual_deployment_the_alias_moves_at_once(self):
        source = template(GradualDeployment="false")
        kinds = {resource["Type"] for resource in source["Resources"].values()}
        self.assertFalse([kind for kind in kinds if kind.startswith("AWS::CodeDeploy")])
        aliases = [r for r in source["Resources"].values() if r["Type"] == "AWS::Lambda::Alias"]
        self.assertEqual(["UpdatePolicy" in alias for alias in aliases], [False] * len(FUNCTIONS))
        Stack(source=source)


class Ledger(unittest.TestCase):
    def test_an_existing_table_takes_the_place_of_the_stack_s(self):
        stack = Stack({"Ledger": "true", "LedgerTableName": "casebridge-restored"})
        self.assertNotIn("LedgerTable", stack.resources)
        self.assertEqual(stack.outputs["LedgerTableName"], "casebridge-restored")
        for function in FUNCTIONS:
            self.assertEqual(variables(stack, function)["CASEBRIDGE_LEDGER_TABLE"], "casebridge-restored")
            tables = allowed(stack, function)["dynamodb:PutItem"]
            self.assertEqual(tables, ["arn:aws:dynamodb:us-east-1:111122223333:table/casebridge-restored"])
        with self.assertRaisesRegex(Refused, "Ledger is true"):
            Stack({"LedgerTableName": "casebridge-restored"})

    def test_the_stack_s_table_cannot_be_deleted_by_mistake(self):
        self.assertTrue(Stack({"Ledger": "true"}).resources["LedgerTable"]["Properties"]["DeletionProtectionEnabled"])


if __name__ == "__main__":
    unittest.main()
